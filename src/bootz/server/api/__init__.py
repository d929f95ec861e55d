"""The operator's door: the API, over ``operations/`` and ``store/`` alone.

A process of its own that opens no key of the owner (docs/api.md). Routes stand one file a noun in
``server/api/routes/``; who may do what stands in one table, ``server/api/auth/roles.py``.
"""
