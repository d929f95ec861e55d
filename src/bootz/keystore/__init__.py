"""Private keys and the files around them; shared by every party.

Secrets are read from files that only their owner can read, and never from arguments or
configuration; files are replaced whole or not at all.
"""
