"""How the tables came to be what they are. `versions/` is read in order; a released one never changes."""
