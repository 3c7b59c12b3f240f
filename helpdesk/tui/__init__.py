"""The console: what an agent sees and presses. Knows the desk by its protocol only."""
