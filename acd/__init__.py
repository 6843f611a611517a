"""Skills-based routing: agents, queues, strategies, offers. Pure."""
