"""A small Duo: an account in memory behind the addresses of the Admin API."""
