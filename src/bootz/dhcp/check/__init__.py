"""What a DHCP server of another make would send a router, told from its configuration alone.

A configuration is read into a ``Model``; a model answers for each router as the server would; and
the answer is judged as a router judges it. What cannot be told from the file is a ``Doubt``: both
possibilities are followed, and only where they part is the verdict ``not-evaluated``.
"""
