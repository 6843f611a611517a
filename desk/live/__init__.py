"""What the engine shows, kept up to date and passed on to whoever watches and may."""
