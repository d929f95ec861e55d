"""Who calls the operator's door, and what that person or program may do."""
