"""Asterisk's manager interface: status, registrations, quality, reload, health. It never dials."""
