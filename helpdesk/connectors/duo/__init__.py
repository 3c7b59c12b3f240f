"""Duo: its users, devices and authentication log as the desk sees them."""
