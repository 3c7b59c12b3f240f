"""Duo: its log read, its server played, the connector on it."""
