"""The router's console: a grammar of commands, a session that obeys it, and what it shows."""
