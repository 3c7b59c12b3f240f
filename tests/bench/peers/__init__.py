"""What the console is measured beside: the least that does the same, and what others use."""
