"""Webhooks: what happens is told to other programs, signed, at least once, in order per chassis.

What is to be sent is a queue in the database. The door's process fills it from the journal
(``queue``) and sends it (``sender``); nothing here is in a router's way.
"""
