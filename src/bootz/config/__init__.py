"""A site's settings: ``bootz.yaml``, read strictly into frozen objects."""
