"""The SQL projection: what reports, boards and searches read. It follows the journal and can be rebuilt from it."""
