"""The board: what a person sees of a site, as pages, over the operator's door.

Served by the door's process, with its accounts, roles and audit (docs/board.md). Each page works
without script; with it, what has changed is changed in place.
"""
