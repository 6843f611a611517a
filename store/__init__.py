"""What is kept: the journal and the SQL projection."""
