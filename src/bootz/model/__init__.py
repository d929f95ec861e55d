"""Nouns: frozen dataclasses and enums that every room shares; imports nothing of the project."""
