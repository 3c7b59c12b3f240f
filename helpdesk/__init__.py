"""The console for the call that begins: *it keeps asking me for a code*."""

__version__ = "0.1.0"
