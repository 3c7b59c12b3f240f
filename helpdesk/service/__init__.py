"""The desk: what may be asked of it, and the one way in which anything is changed."""
