"""WHAT IS ASKED: HTTP questions answered from projections.

Law: reading never writes, so nothing here imports ``commands``. It must not know
the log, drivers or models; a question's embedding comes through a port.
"""

from read_api.routes import read_routes

ROUTES = (read_routes(),)
"""Every question; what they ask the application for, ``read_routes`` says."""
