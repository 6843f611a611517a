"""One Asterisk node: what it is told (`settings`), where its program comes from (`install`), its files (`render`), its life (`launcher`)."""
