"""The flow language: schema, loader, interpreter, nodes, scenario tests."""
