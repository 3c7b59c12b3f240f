"""A real django-helpdesk with a queue, an account for the desk and tickets, on this machine alone.

python -m tests.labs.djangohelpdesk [start|stop|record|remove]
"""
