"""What the manufacturer keeps, in one SQLite file."""
