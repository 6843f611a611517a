"""The only place that knows Asterisk."""
