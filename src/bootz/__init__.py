"""Bootz: secure zero-touch bootstrapping of routers, every party of it.

The law (``model``, ``trust``, ``wire``, ``protocol``) decides and does no I/O; the
parties (``server``, ``masa``, ``dhcp``, ``images``, ``device``) meet only on the wire.
"""

__version__ = "0.1.0"
