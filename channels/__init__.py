"""Every channel that is not the telephone: one adapter port, one folder an adapter."""
