"""Real servers of others, started for tests: processes of their own that are spoken to only."""
