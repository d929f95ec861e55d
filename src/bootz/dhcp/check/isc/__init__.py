"""Configurations of ISC dhcpd, of both families."""
