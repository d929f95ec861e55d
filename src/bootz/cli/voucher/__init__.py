"""``bootz voucher``: one file a verb or a group of verbs."""
