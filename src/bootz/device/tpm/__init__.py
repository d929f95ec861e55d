"""TPMs of an emulated router: in software, and real ones as ``swtpm`` runs them."""
