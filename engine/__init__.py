"""The composition root: runtime, configuration, recovery, supervisor, command line."""
