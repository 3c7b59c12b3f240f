"""Keycloak: its events read, its server played, the connector on it."""
