"""The decisions of the OVGS service: who may do what, and which error answers first.

Law of this room: no I/O and no clock; it reads and writes a ``Book``, which a store implements.
Every function checks completely before it writes, in the order of docs/protocol/ovgs.md#errors:
arguments, existence, permission, arguments against what is stored, conflicts.
"""
