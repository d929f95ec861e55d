"""Everything that can fail without the router, tried beforehand (docs/preflight.md).

It opens no key: of the site it takes the certificates, and what it asks of image store, DHCP and
network comes through ports that others fill.
"""
