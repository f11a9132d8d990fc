"""Proof: that the log is what was recorded, and the views what follows from it.

It reads and never repairs. What it finds is named by positions, ids and counts, never
by what anybody said.
"""
