"""The Go reference's configuration, read, and as the entries of an import."""
