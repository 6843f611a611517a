"""`centralita demo`: one real call, told as it happens, with the engine killed in the middle of it."""
