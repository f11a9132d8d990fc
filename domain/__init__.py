"""WHAT IS TRUE: events, states folded from them, and the decisions that make new ones.

Law: pure functions over frozen structs. Imports the standard library and msgspec
only; reads no clock, makes no ids, awaits nothing. Time, ids and randomness are
arguments. It must not know HTTP, SQL, Kafka or any model.
"""
