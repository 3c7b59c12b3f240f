"""Frames of the console as pictures for slides: taken from an app, drawn as a strip or a cast.

app ─▶ frames.taken ─▶ Frame ─▶ strip.drawn (SVG) │ cast.recorded (asciicast)
"""
