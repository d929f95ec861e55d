"""``bootz masa``: one file a group of verbs."""
