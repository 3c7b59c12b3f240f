"""The desk over HTTP: the server that answers, the client that asks, and how agents sign in."""
