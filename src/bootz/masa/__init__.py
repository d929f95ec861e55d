"""The manufacturer: who owns which serial number, and vouchers that say so.

A party of its own, with own keys and own store; it meets the owner's server only on the wire.
"""
