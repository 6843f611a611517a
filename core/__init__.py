"""The vocabulary every room speaks: events, commands, state tables, ports. Standard library only."""
