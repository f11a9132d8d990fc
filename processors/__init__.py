"""WHAT FOLLOWS: an event in, at most a model call, commands out.

Law: a processor is fed one ordering key at a time, in order, and answers Done,
Retry or Park. Its commands have ids made from positions, so a redelivery or a
crash after the model call never yields a second result. It reads its streams,
which are complete, never a view, which may lag.
"""
