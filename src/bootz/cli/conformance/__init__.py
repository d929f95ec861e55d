"""``bootz conformance``: one file a suite."""
