"""Laboratories: small servers of ours that behave as a provider documents."""
