"""Postgres: the log, the views' connections, and the embedded server."""
