"""Definitions in YAML: marked loading, problems with file:line, schemas."""
