"""From what the operator wants to bootstrapping data: templates, documents, and their cache."""
