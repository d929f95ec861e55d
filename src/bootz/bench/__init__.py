"""What an onboarding costs: the real server as its own process, and real clients in others."""
