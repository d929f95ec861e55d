"""The ``bootz`` command: one file per noun; arguments in, tables or documents out.

Data goes to stdout, words to a person to stderr. Exit codes: 0 done, 1 failed, 2 usage.
"""
