"""Values and rules of the desk: no clock, no files, no network, no screen.

*now* is always an argument.
"""
