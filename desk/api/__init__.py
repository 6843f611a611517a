"""REST, version 1: one file per thing. Every route has its entry in `desk/access.py`."""
