"""Pages for people: rendered here, kept fresh by htmx. One file per page; what they look like is in `templates/`."""
