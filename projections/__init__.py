"""WHAT WE SHOW: views folded from events in position order, and their queries.

Law: a projection is a version, its tables and ``apply(batch)``. Applying a batch
twice, or cut differently, changes nothing; nothing here calls a model or an
embedder. It speaks SQL through the four methods of ``ports.Connection`` and must
not know commands, HTTP or any driver. Table names are never qualified: the
connection's search path decides which generation of the views is meant.
"""
