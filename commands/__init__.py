"""WHAT MAY HAPPEN: commands, the handlers that decide them, the one decide loop.

Law: a command is decided against folded streams and appended at the version it
was decided at; nothing else writes the log. It must not know asyncpg, Postgres,
Kafka or views; what it needs of the world are the protocols in ``ports``.
"""
