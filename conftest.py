"""Fixtures every test may ask for."""

from hypothesis import settings

pytest_plugins = ["tests.asterisk_fixture", "tests.phone_fixture"]

# How long an example takes depends on who else is at work on the machine; benchmarks measure speed.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")
