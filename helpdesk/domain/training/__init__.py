"""Rehearsing: scenarios, the record of a play, and the marks that follow from the record alone."""
