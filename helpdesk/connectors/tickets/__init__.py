"""Ticket systems that a desk's tickets are kept in, one file a system."""
