"""Configurations of dnsmasq, of both families."""
