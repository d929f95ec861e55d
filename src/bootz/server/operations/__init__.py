"""The operator's verbs: plain transactions on the inventory, shared by CLI, REST and imports.

Every verb takes an open SQLAlchemy connection and leaves commit and rollback to its caller, so
that many verbs can be one transaction. Rows are validated before anything is written.
"""
