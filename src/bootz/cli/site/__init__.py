"""A site and its server: ``init``, ``serve``, ``keys``, ``attempts`` and ``watch``."""
