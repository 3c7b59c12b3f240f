"""A small world to make labelled cases in: people, browsers, mail, carriers, phones, a server.

Nothing here knows how a verdict is reached. A cause is a fault put into one of these things; the
log is what the server, the mail system and the carrier write down while the people live with it.
"""
