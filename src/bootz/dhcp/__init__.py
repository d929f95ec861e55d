"""The network's party: it writes, checks and probes DHCP configurations, and serves a lab.

It knows no inventory: commands read that and hand over plain records (``bootz.dhcp.records``).
"""
