"""Voices that speak prompts and recognisers that hear them, behind ports."""
