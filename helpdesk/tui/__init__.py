"""The console: what an agent sees and presses. Knows the desk by its protocol only."""

import os

# What changes after a key was drawn waits for Textual's clock, which it reads when it is imported:
# at its own 60 Hz an answer that came at once is shown two beats later. Nothing beats at rest.
os.environ.setdefault("TEXTUAL_FPS", "250")

from helpdesk.tui import cutting, kinds

cutting.keep_whole()
kinds.hasten()
