"""Fixtures every test may ask for."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.asterisk_fixture", "tests.phone_fixture"]

# How long an example takes, and making it, depends on who else is at work on the machine; benchmarks measure speed.
settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")
