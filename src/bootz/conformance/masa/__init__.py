"""The suite for voucher services: every RPC, role and documented error of ``ovgs.v1``.

``caller`` speaks for the accounts. ``ground`` makes the groups that the cases need below the
customer's root, and takes them away. ``deeds`` has the well-formed call of each RPC, ``outcomes``
what must come of it. The cases are in ``served``, ``refusals`` (with ``arguments``,
``conflicts``, ``permissions``) and ``rules`` (with ``delegation``); ``suite`` plays and judges
them.

Source: openconfig/ovgs ``ovgs.proto``; docs/protocol/ovgs.md.
"""
