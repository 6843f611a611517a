"""Carrying out what commands ask of the world beyond telephony."""
