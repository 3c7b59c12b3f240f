"""A real privacyIDEA with users, policies and a sink for mail and SMS, on this machine alone.

python -m tests.labs.privacyidea [start|install|stop|remove]
"""
