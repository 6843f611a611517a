"""A day on the floor in virtual time, through the router that serves the real one."""
