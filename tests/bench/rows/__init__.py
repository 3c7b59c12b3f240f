"""The rows of the table: each a small function in a file of its own kind."""
