"""Fixtures every test may ask for: real Asterisk, real phones, a whole system."""

pytest_plugins = ["tests.asterisk_fixture", "tests.phone_fixture", "tests.postgres_fixture", "tests.system_fixture"]
