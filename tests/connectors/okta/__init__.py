"""Okta: its log read, its server played, the connector held against both."""
