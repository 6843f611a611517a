"""The engine's side of speech: prompts that are spoken as written are ready before anybody calls."""
