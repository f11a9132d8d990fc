"""What every test may ask for, and where the programs it starts keep what they compile.

Every server, embedder and command is a Python of its own. Where the environment says
that none may write bytecode, each would compile all it imports: 7.5 s of processor
time for a server instead of 3.9.
"""

import os
import shutil
import tempfile
from functools import partial

pytest_plugins = [
    "tests.support.ending",
    "tests.support.needs",
    "tests.support.postgres",
    "tests.support.log",
    "tests.support.servers",
    "tests.support.kafka",
]


def pytest_configure(config):
    folder = tempfile.mkdtemp(prefix="palimpsest-compiled-")
    config.add_cleanup(partial(shutil.rmtree, folder, ignore_errors=True))
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = folder
