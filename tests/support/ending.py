"""Ends a run whose tests are over, and tells what kept it from ending by itself.

One did not end until it was killed, an hour and a half later, and did not say why.
"""

import faulthandler
import os
import sys
import threading
import time

import pytest

WITHIN = 60
"""Seconds from a run's last line to its end; it takes less than one."""

_STATUS = pytest.StashKey[int]()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[_STATUS] = int(exitstatus)


def pytest_unconfigure(config: pytest.Config) -> None:
    status = config.stash.get(_STATUS, 1)
    threading.Thread(target=_end, args=(status,), daemon=True).start()


def _end(status: int) -> None:
    time.sleep(WITHIN)
    told = sys.__stderr__
    assert told is not None
    faulthandler.dump_traceback(file=told)
    print("the run did not end by itself:", *threading.enumerate(), file=told)
    told.flush()
    os._exit(status)
