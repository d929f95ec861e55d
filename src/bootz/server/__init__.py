"""The owner's party: the Bootz server, its inventory, keys, vouchers and journal."""
