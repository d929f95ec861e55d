"""The owner's keys: where they are, which is in use, how one follows another."""
