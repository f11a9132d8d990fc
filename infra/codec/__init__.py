"""Events to stored bytes and back: shapes, seals, causes, and what is unknown.

Law: pure and synchronous; no database, no clock. Stored bytes are for ever, so a
change here is proved against ``tests/golden/events``.
"""
