"""HTTP/2 of one connection, the server's side, behind one interface: engines that can be swapped.

``engine`` is the interface, ``compiled`` and ``pure`` fill it, ``engines`` picks one. ``meter``
bounds what frames may cost, before any engine sees them. No I/O and no clock in this room.
"""
