"""Configurations of kea-dhcp4 and kea-dhcp6."""
