"""Inventory and journal in SQL: one implementation over two engines, SQLite and PostgreSQL.

What a caller was told is stored survives a crash. Reads see the last committed change, also of
another process.
"""
