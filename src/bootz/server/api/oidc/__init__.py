"""Logins by an OpenID Connect provider: its groups are our roles.

The authorization code flow with PKCE; the password never comes here. What the provider says is
believed only as its signed token says it (``tokens``).
"""
