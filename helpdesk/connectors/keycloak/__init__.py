"""Keycloak: its users, credentials and events as the desk sees them."""
