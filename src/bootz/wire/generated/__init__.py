"""Written by tools/generate_protos.py from the schema; never edited."""
