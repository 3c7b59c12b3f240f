"""The console on a stage: a model answer played key by key, larger, and told to its presenter.

presenter's key ─▶ app ─▶ hand ─▶ keys ─▶ the real console ─▶ frames
                     └─▶ prompt ─▶ notes, in a second terminal
"""
