"""The published TypeScript SDK, its newest 2.x and its oldest, through node (HC 7.2).

``typescript/*.mjs`` are chapters of steps; node takes them all and prints what came of
each, and each is a test here. Honcho's MCP server is not on npm: what its tools ask
(HC 7.4) is the chapter ``mcp``, through the SDK and the tools' raw requests.
"""

import json
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.openai_stub import openai_stub, plain_answer
from tests.support.server import running
from tests.support.stub_replies import Answer

FOLDER = Path(__file__).parent / "typescript"
OPEN = ["workspaces", "peers", "sessions", "messages", "chat", "conclusions", "scopes"]
OPEN += ["errors", "mcp"]
GUARDED = ["guarded"]
MODELS = ["models"]
STEP = re.compile(r'^(step|newer)\(\s*"([^"]+)"', re.MULTILINE)
SECRET = "a secret of the tests, long enough for HS256"  # noqa: S105  of the tests

pytestmark = pytest.mark.node


def steps(release: str, chapters: list[str]) -> list[str]:
    """Names of the steps of these chapters that this release can take."""
    texts = [(FOLDER / f"{chapter}.mjs").read_text() for chapter in chapters]
    found = [each for text in texts for each in STEP.findall(text)]
    return [name for kind, name in found if kind == "step" or release == "newest"]


TAKEN = [
    pytest.param(release, name, id=f"{release}: {name}")
    for release in ("newest", "oldest")
    for name in steps(release, OPEN + GUARDED + MODELS)
]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder with what its ``package.json`` names, installed from npm."""
    folder = tmp_path_factory.mktemp("typescript") / "replay"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("node_modules"))
    flags = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
    run(folder, 180, "npm", "install", *flags)
    return folder


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A server that wants a key for everything under /v3 (HC 4)."""
    data = tmp_path_factory.mktemp("guarded") / "data"
    wanted = {"AUTH_USE_AUTH": "true", "AUTH_JWT_SECRET": SECRET}
    with running(data, wanted) as server:
        yield server
        assert server.stop() == 0


@pytest.fixture(scope="module")
def modelled(tmp_path_factory):
    """A server on a model that answers as the chapter ``models`` expects."""
    with openai_stub(key="k") as stub:
        stub.otherwise = answer_as_expected
        wanted = {
            "LLM_OPENAI_BASE_URL": stub.url,
            "LLM_OPENAI_API_KEY": "k",
            "EMBEDDING_MODEL_CONFIG__OVERRIDES__BASE_URL": stub.url,
            "EMBEDDING_MODEL_CONFIG__OVERRIDES__API_KEY": "k",
        }
        with running(tmp_path_factory.mktemp("modelled") / "data", wanted) as server:
            yield server
            assert server.stop() == 0


def answer_as_expected(call):
    if "response_format" in call.body:
        return plain_answer(call)
    if "Please fail." in call.text:
        return Answer(status=500)
    return "Tea, at the café by the sea. [[sources: none]]"


@pytest.fixture(scope="module")
def outcomes(installed, server, guarded, modelled):
    """What came of each step, by release and name; all releases go at once."""
    replays = [
        (release, asked, chapters)
        for release in ("newest", "oldest")
        for asked, chapters in (
            (server, OPEN),
            (guarded, GUARDED),
            (modelled, MODELS),
        )
    ]
    with ThreadPoolExecutor(len(replays)) as pool:
        found = pool.map(lambda each: replay(installed, *each), replays)
        return {key: told for outcomes in found for key, told in outcomes.items()}


def replay(folder, release, server, chapters):
    """Let node take the steps of these chapters; return what it says of each."""
    asked = {"PALIMPSEST_URL": server.url, "AUTH_JWT_SECRET": SECRET}
    printed = run(folder, 600, "node", "replay.mjs", release, *chapters, **asked)
    told = [json.loads(line) for line in printed.splitlines()]
    return {(release, each["name"]): each for each in told}


def run(folder, seconds, program, *arguments, **environment):
    done = subprocess.run(
        [shutil.which(program) or program, *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        check=False,
        text=True,
        timeout=seconds,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize(("release", "name"), TAKEN)
def test_a_step_of_the_typescript_sdk(outcomes, release, name):
    outcome = outcomes[release, name]
    assert outcome["ok"], outcome["detail"]


def test_every_step_that_was_taken_is_a_test(outcomes):
    assert sorted(outcomes) == sorted(each.values for each in TAKEN)
