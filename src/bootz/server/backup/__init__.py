"""Backup of a site while it serves, and its restoration elsewhere. Pages: docs/backup.md."""
