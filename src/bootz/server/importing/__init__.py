"""Inventories as files: read strictly, applied all or nothing, and written so that they read back.

A file is one document with the sections of ``SECTIONS``, each a list of mappings; docs/operator.md
describes them. Nothing in an error quotes what a file holds but names and serial numbers.
"""
