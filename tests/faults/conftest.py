"""One deployment for all faults that leave it as it was, its broker behind a proxy."""

import pytest

from tests.support.deployment import deployed

ROLES = {"relay": 2, "projector": 1, "worker": 2, "api": 2}


@pytest.fixture(scope="session")
def deployment():
    """Killed, cut and frozen by several tests; at its end every view is verified."""
    with deployed(ROLES) as deployment:
        yield deployment
        deployment.verify()
