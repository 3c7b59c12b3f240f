"""The desk's record, the people and the log in a database: SQLite embedded, or PostgreSQL.

schema ─▶ database (connections, the one pen) ─▶ documents · record · directory ─▶ importing
"""
