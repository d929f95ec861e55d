"""``bootz watch``: a screen with a row for each router, or lines of events for a program."""
