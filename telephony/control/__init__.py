"""Call and media control of real Asterisk nodes."""
