"""A campaign's day in virtual time, dialed by the pacing that dials the real one."""
