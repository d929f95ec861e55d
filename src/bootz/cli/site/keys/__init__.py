"""``bootz keys``: the verbs and their options."""
