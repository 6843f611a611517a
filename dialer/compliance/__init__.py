"""The law as data: packs of rules, the strictest of them, and whether a number may be dialed now."""
