"""What people touch: HTTP and WebSocket API, pages."""
