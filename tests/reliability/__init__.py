"""Lines that break, and whether every write is done exactly once all the same."""
