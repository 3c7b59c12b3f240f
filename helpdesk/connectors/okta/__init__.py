"""Okta: its users, factors and System Log as the desk sees them."""
