"""One Asterisk node.

`settings`: what it is told. `install`: where its program comes from. `render`: its files. `launcher`: its life.
"""
