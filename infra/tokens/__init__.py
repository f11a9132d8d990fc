"""Tokens: how long a text is to a model, counted on this machine.

Law: no code path waits for a download; the ranks lie beside the adapter.
"""
