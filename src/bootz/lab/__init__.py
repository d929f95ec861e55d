"""All parties on one machine, each a process of its own, meeting on the wire.

The lab knows no party from inside: it calls the same commands as a person, reads what they print,
and believes a router only what that router says itself and the server has on record.
"""
