"""A device that a person operates: what to type for each step, and what the server waits for.

Nothing reads the device; what counts is what its server sees. Checks of what it would report
about itself are skipped.
"""
