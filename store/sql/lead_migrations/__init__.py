"""How the tables of lists and leads came to be. `versions/` is read in order; a released one never changes."""
