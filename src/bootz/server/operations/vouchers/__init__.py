"""The vouchers of a site: what is stored, what is needed, what is being fetched."""
