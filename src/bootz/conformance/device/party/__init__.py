"""The suite's own Bootz server: the law's checks, and the script's faults."""
