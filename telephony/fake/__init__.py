"""Call and media control without Asterisk, for tests, flow trials and simulations."""
