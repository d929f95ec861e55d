"""A manufacturer for laboratories: its CA gives routers identities and their owners vouchers."""
