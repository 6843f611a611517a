"""What admins write under `config/`: models, and the one loader that takes all of it or none."""
