"""Every test of this room may ask for a desk."""

from tests.unit.desk.desk_stage import desk, empty_database, shown

__all__ = ["desk", "empty_database", "shown"]
