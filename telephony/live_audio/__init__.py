"""Live audio of legs: a media leg on the node, a worker process that listens to it."""
