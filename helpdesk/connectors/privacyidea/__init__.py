"""privacyIDEA 3.14 and newer, over HTTP: its factors, its sign-in log, its acts."""
