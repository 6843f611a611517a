"""Fixtures every test may ask for."""

pytest_plugins = ["tests.asterisk_fixture", "tests.phone_fixture"]
