"""Order: the session state machines of both sides; no I/O, no clock, no dice."""
