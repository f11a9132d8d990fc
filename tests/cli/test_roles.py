"""The roles of a deployment as processes of their own, in whatever order they start."""

import asyncio
import base64
import json

import asyncpg
import httpx
import pytest

from infra.postgres.migrate import steps_of
from tests.support.command import Shell, finished, until
from tests.support.roles import deployment, until_ready
from tests.support.saying import MARKER, say
from tests.support.server import READY_WITHIN, healthy

OTHER = base64.b64encode(bytes(32)).decode()

PATIENTLY = ("--wait", "600")
"""Four processes that start at once may take longer than the minute of the default."""


@pytest.fixture(scope="module")
def roles(postgres_address, tmp_path_factory):
    """Two APIs, a projector and a worker, started before anything was migrated."""
    folder = tmp_path_factory.mktemp("roles")
    with deployment(postgres_address, folder) as made:
        made.early = [
            made.launch(each, *PATIENTLY) for each in ("api", "projector", "worker")
        ]
        for each in made.early:
            until(lambda each=each: "waiting: there is no Palimpsest" in each.said())
            assert not healthy(each.port)
        assert "are current" in made.run("migrate")
        for each in made.early:
            until_ready(each)
        made.second = made.start("api")
        yield made
        assert made.stop() == {}


def test_roles_that_started_too_early_wait_and_then_work_together(roles):
    first, second = roles.early[0], roles.second
    message = say(first.url, f"I live in {MARKER} street in Ghent.")
    with httpx.Client(base_url=f"{second.url}/v3/workspaces/w", timeout=120) as other:
        listed = other.post("/conclusions/list", json={}).json()
        assert any(MARKER in each["content"] for each in listed["items"])
        answer = other.post("/peers/alice/chat", json={"query": "Where do I live?"})
        assert MARKER in answer.json()["content"]
        until(
            lambda: (
                [
                    each["id"]
                    for each in other.post("/search", json={"query": "street"}).json()
                ]
                == [message]
            )
        )


def test_what_one_api_wrote_another_reads_by_its_position(roles):
    first, second = roles.early[0], roles.second
    with (
        httpx.Client(base_url=f"{first.url}/v3/workspaces/p", timeout=120) as one,
        httpx.Client(base_url=f"{second.url}/v3/workspaces/p", timeout=120) as two,
    ):
        for n in range(20):
            writer, reader = (one, two) if n % 2 else (two, one)
            said = writer.post(
                "/sessions/s/messages",
                json={"messages": [{"peer_id": "ann", "content": f"number {n}"}]},
            )
            assert said.status_code == 201, said.text
            read = reader.post(
                "/sessions/s/messages/list",
                params={
                    "min_position": said.headers["x-position"],
                    "reverse": "true",
                    "size": 1,
                },
                json={},
            )
            assert read.json()["items"][0]["content"] == f"number {n}"
            assert int(read.headers["x-position"]) >= int(said.headers["x-position"])


def test_status_tells_who_runs_and_a_reset_is_refused(roles):
    status = json.loads(roles.run("status", "--json"))
    running = [each["role"] for each in status["processes"]]
    assert running == ["api", "api", "projector", "worker"]
    assert "running: api (2), projector, worker" in roles.run("status")
    with pytest.raises(AssertionError, match=r"\(api, projector, worker\): stop it"):
        roles.run("reset", "summarize_session")


def test_a_command_that_changes_memory_is_shown_by_the_projector(roles):
    say(roles.second.url, "I own a boat.", "boats")
    with httpx.Client(
        base_url=f"{roles.second.url}/v3/workspaces/w", timeout=120
    ) as api:
        listed = api.post("/conclusions/list", json={}).json()["items"]
        [boat] = [each["id"] for each in listed if "boat" in each["content"]]
        assert "boat" in roles.run("retract", boat)
        left = api.post("/conclusions/list", json={}).json()["items"]
        assert boat not in {each["id"] for each in left}


def test_who_counts_the_topic_has_vitals_and_ends_when_it_is_told_to(roles):
    nobody = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "METRICS_ENABLED": "true"}
    counting = roles.start("analytics", "run", **nobody)
    told = httpx.get(f"{counting.url}/health", timeout=120).json()
    assert told == {"status": "ok", "role": "analytics"}
    labels = 'consumer="analytics",kind="roll-ups",namespace="palimpsest"'
    seen = f"palimpsest_consumer_seen_seconds{{{labels}}}"
    until(lambda: seen in httpx.get(f"{counting.url}/metrics", timeout=120).text)
    assert "analytics" in running(roles)
    assert counting.stop() == 0
    status = json.loads(roles.run("status", "--json"))
    [left] = [each for each in status["consumers"] if each["name"] == "analytics"]
    assert (left["position"], left["lag_events"]) == (0, status["head"])
    assert left["seen_seconds"] >= 0
    assert "analytics" not in running(roles)


def running(roles):
    """Who runs, as ``status`` says."""
    status = json.loads(roles.run("status", "--json"))
    return {each["role"] for each in status["processes"]}


def test_who_cannot_begin_says_why_and_changes_nothing(postgres_address, tmp_path):
    with deployment(postgres_address, tmp_path) as made:
        home = tmp_path / "home"
        nothing = made.launch("api", "--wait", "0")
        assert nothing.process.wait(READY_WITHIN) == 2
        assert "there is no Palimpsest in DB_CONNECTION_URI yet" in nothing.said()
        brokers = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
        for each in (("worker",), ("analytics", "run")):
            patient = made.launch(*each, *PATIENTLY, **brokers)
            until(lambda m=patient: "waiting: there is no Palimpsest" in m.said())
            assert patient.stop() == 0
        made.run("migrate")
        # Nothing is sealed yet by which one could tell the key.
        wrong = [
            made.launch(each, KEYS_MASTER_KEY=OTHER)
            for each in ("api", "projector", "worker")
        ]
        none = {"KEYS_MASTER_KEY": "", "XDG_DATA_HOME": str(home)}
        keyless = made.launch("worker", "--wait", "0", **none)
        folder = made.launch("projector", "--wait", "0", "--data", str(home))
        for each in wrong:
            assert each.process.wait(READY_WITHIN) == 2
            assert "not the master key" in each.said()
        assert keyless.process.wait(READY_WITHIN) == 2
        assert "no master key in" in keyless.said()
        assert folder.process.wait(READY_WITHIN) == 2
        assert f"no Postgres runs in {home}" in folder.said()
        assert not home.exists()


def test_a_check_tells_whether_the_database_is_what_this_code_knows(
    postgres_address, tmp_path
):
    with deployment(postgres_address, tmp_path) as made:
        shell = Shell(tmp_path, made.environment)

        def checked(*words):
            done = shell.run("migrate", "--check", *words)
            return done.code, done.out + done.err

        code, told = checked()
        assert (code, "there is no Palimpsest in DB" in told) == (1, True)
        assert sql(made, "SELECT to_regnamespace('palimpsest')") is None
        patient = shell.start("migrate", "--check", *PATIENTLY)
        made.run("migrate")
        assert finished(patient).code == 0
        code, told = checked()
        newest = steps_of("log")[-1].number
        assert (code, f"log at step {newest}, keys at step" in told) == (0, True)
        sql(
            made, "UPDATE view.checkpoint SET code = 'other' WHERE projection = 'peers'"
        )
        code, told = checked()
        assert (code, "folded by other code (peers)" in told) == (1, True)
        sql(made, f"DELETE FROM palimpsest.migration {NEWEST}")  # noqa: S608
        code, told = checked()
        older = f"log stands at step {newest - 1}, this Palimpsest knows {newest}:"
        assert (code, older in told) == (1, True)
        sql(made, "INSERT INTO palimpsest.migration VALUES (999, now(), 'log', 'x')")
        code, told = checked("--wait", "600")
        assert (code, "The database is newer" in told) == (1, True)


NEWEST = (
    "WHERE series = 'log' AND number = (SELECT max(number) FROM palimpsest.migration)"
)


def sql(made, statement):
    """Ask, or tell, the database of a deployment; return the first value."""

    async def told():
        connection = await asyncpg.connect(made.address.dsn())
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(told())


def test_a_role_with_a_folder_works_beside_the_server_that_runs_there(school, looking):
    beside = looking.start("api", "--port", "0", "--data", str(school.data))
    try:
        said = []
        while "serves" not in (line := beside.stderr.readline()):
            said.append(line)
            assert line, said
        url = line[line.index("http") :].split()[0].split('"')[0]
        found = httpx.post(
            f"{url}/v3/workspaces/w/search", json={"query": MARKER}, timeout=120
        )
        assert [each["id"] for each in found.json()] == [school.said]
    finally:
        beside.terminate()
        assert beside.wait(READY_WITHIN) == 0, beside.stderr.read()
        beside.stdout.close()
        beside.stderr.close()
