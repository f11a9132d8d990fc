"""Outliers among vectors, to point specialists at them (RS 6.4); off by default.

Law: scikit-learn is imported where something is scored, never at the start, and what
is scored is scored in a thread of its own.
"""
