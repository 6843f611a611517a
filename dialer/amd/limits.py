"""How long it may take to find out who answered, in seconds after the answer: for whoever asks and whoever listens."""

LIMIT_S = 6.0
"""Whomever nobody can tell by then is taken for a person."""
SPEAKS_ON_S = 9.0
"""But who speaks on waits for nobody yet, and is listened to until then."""
