"""``bootz chassis``: the verbs, their options, and what they print."""
