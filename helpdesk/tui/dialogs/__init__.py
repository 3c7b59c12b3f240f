"""Questions with an answer: they open over a place and close with what was decided."""
