"""HOW: adapters, and ``composition``, the only place that wires them.

Law: nothing is created at import time; adapters do not know each other; settings
are read once and passed as values.
"""
