"""How a flow becomes a picture: where cards lie, what is on them, how it looks."""
