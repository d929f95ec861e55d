"""The nouns of the inventory (vendor, chassis, profile, image), import and export."""
