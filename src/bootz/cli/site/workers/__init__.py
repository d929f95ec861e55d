"""One site served by several processes: a parent that serves none, and its children."""
