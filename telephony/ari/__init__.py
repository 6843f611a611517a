"""Asterisk's REST interface over WebSockets: connections, messages, one client per node."""
