"""What every test may ask for, and where the programs it starts keep what they compile.

Every server, embedder and command is a Python of its own. Where the environment says
that none may write bytecode, each would compile all it imports: 7.5 s of processor
time for a server instead of 3.9. And no example of a property is too slow: by default
one that takes 200 ms fails, which any does that has to wait for a processor.
"""

import os
import shutil
import tempfile
from functools import partial

from hypothesis import HealthCheck, settings

pytest_plugins = [
    "tests.support.ending",
    "tests.support.needs",
    "tests.support.postgres",
    "tests.support.log",
    "tests.support.servers",
    "tests.support.kafka",
]

settings.register_profile(
    "unhurried",
    settings(),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("unhurried")


def pytest_configure(config):
    folder = tempfile.mkdtemp(prefix="palimpsest-compiled-")
    config.add_cleanup(partial(shutil.rmtree, folder, ignore_errors=True))
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = folder
