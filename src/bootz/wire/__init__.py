"""Spelling: model to bytes and back, in every dialect; strict and bounded, no I/O."""
