"""``docker compose up`` without an engine: the file, and all it starts as processes."""

import json
import subprocess
import uuid
from importlib.resources import files

import httpx
import pytest
import yaml
from jsonschema import Draft202012Validator
from kafka import KafkaAdminClient

from infra.kafka.connecting import connecting
from tests.e2e.test_sdk import connected, until_processed
from tests.support.command import until
from tests.support.compose import COMPOSE, ours, read_compose, start
from tests.support.kafka import environment_apart, variables
from tests.support.kafka_broker import Broker, until_ready
from tests.support.roles import deployment

READY_WITHIN = 180.0


@pytest.fixture(scope="module")
def compose():
    return read_compose()


def test_the_file_is_of_the_compose_schema():
    vendored = files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((vendored / "compose-spec.json").read_text(encoding="utf-8"))
    found = Draft202012Validator(schema).iter_errors(
        yaml.safe_load(COMPOSE.read_text())
    )
    assert [f"{error.json_path}: {error.message}" for error in found] == []


def test_the_services_are_the_roles_and_wait_for_what_they_need(compose):
    services = compose["services"]
    assert set(services) == {
        *("postgres", "kafka", "migrate", "api", "relay", "projector", "worker")
    }
    for name, service in services.items():
        assert service["restart"] == (
            "on-failure" if name == "migrate" else "unless-stopped"
        )
        assert service["healthcheck"]["test"][0] == "CMD"
    for name, service in ours(compose).items():
        needed = service["depends_on"]
        assert needed["postgres"] == {"condition": "service_healthy"}
        if name != "migrate":
            ended = {"condition": "service_completed_successfully"}
            assert needed["migrate"] == ended
        wants_kafka = name in {"projector", "relay", "worker"}
        assert ("kafka" in needed) == wants_kafka


def test_nothing_is_published_beyond_loopback_and_nothing_may_more_than_it_must(
    compose,
):
    for service in compose["services"].values():
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:")
        assert not service.get("privileged", False)
        for volume in service.get("volumes", ()):
            named = volume.partition(":")[0]
            assert named in compose["volumes"], "nothing of the host is shared"
    for name, service in ours(compose).items():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
        mode = "" if name == "migrate" else ":ro"
        assert service["volumes"] == [f"keys:/data{mode}"]
        assert ("ports" in service) == (name == "api")


@pytest.fixture
def standing(compose, postgres_address, kafka, tmp_path):
    """Every service of ours, and a second API, as processes; each well by its check."""
    started = []
    with deployment(postgres_address, tmp_path) as made:
        replaced = {
            "DB_CONNECTION_URI": made.address.dsn(),
            "XDG_DATA_HOME": str(tmp_path / "data"),
            **variables(environment_apart(kafka)),
        }
        replaced.pop("FEED_TYPE")
        services = ours(compose)
        try:
            migrates = start("migrate", services.pop("migrate"), replaced, tmp_path)
            started.append(migrates)
            # The others are started when it has ended, as the file says.
            assert migrates.member.process.wait(READY_WITHIN) == 0
            assert migrates.well
            for name, service in services.items():
                started.append(start(name, service, replaced, tmp_path))
            started.append(start("api-2", services["api"], replaced, tmp_path))
            by_name = {each.name: each for each in started[1:]}
            for each in by_name.values():
                until(lambda each=each: _well(each), READY_WITHIN)
            yield by_name
        finally:
            for each in started:
                each.member.kill()


def _well(each):
    assert each.member.alive, (each.name, each.member.said()[-4000:])
    return each.well


@pytest.mark.kafka
def test_what_it_starts_takes_a_message_to_a_conclusion_and_an_answer(standing):
    first, second = standing["api"].member, standing["api-2"].member
    workspace = f"compose-{uuid.uuid4().hex[:8]}"
    with connected(first, workspace) as one:
        alice, session = one.peer("alice"), one.session("home")
        session.add_messages([alice.message("I live in Ghent and I keep two goats.")])
        until_processed(one, READY_WITHIN)
        assert "goats" in str(alice.chat("What does alice keep?"))
    with (
        httpx.Client(
            base_url=f"{first.url}/v3/workspaces/{workspace}", timeout=120
        ) as writer,
        httpx.Client(
            base_url=f"{second.url}/v3/workspaces/{workspace}", timeout=120
        ) as reader,
    ):
        said = {"peer_id": "alice", "content": "I sold a goat."}
        path = "/sessions/home/messages"
        wrote = writer.post(path, json={"messages": [said]}, timeout=120)
        assert wrote.status_code == 201, wrote.text
        asked = {"min_position": wrote.headers["x-position"], "reverse": "true"}
        read = reader.post(f"{path}/list", params=asked, json={}, timeout=120)
        assert read.json()["items"][0]["content"] == said["content"]
        concluded = reader.post("/conclusions/list", json={}, timeout=120).json()
        assert any("goats" in each["content"] for each in concluded["items"])
    for name, each in standing.items():
        told = httpx.get(f"{each.member.url}/metrics", timeout=120)
        assert "palimpsest_log_head" in told.text, name
    codes = {name: each.member.stop() for name, each in standing.items()}
    assert set(codes.values()) == {0}, codes
    for each in standing.values():
        assert "Traceback" not in each.member.said()


class Composed(Broker):
    """A broker told what the service ``kafka`` is told, on ports that are free."""

    def configure(self, told):
        self.folder.mkdir(parents=True)
        (self.folder / "log4j2.xml").write_text("<Configuration/>")
        lines = [
            f"{key.removeprefix('KAFKA_').lower().replace('_', '.')}={value}"
            for key, value in told.items()
            if key != "KAFKA_HEAP_OPTS"
        ]
        text = "\n".join(lines)
        for address, port in {
            "9092": self.inside,
            "9093": self.controller,
            "29092": self.port,
        }.items():
            text = text.replace(f":{address}", f":{port}")
        text = text.replace("kafka:", "localhost:")
        text = text.replace("/var/lib/kafka/data", str(self.folder / "data"))
        (self.folder / "server.properties").write_text(text)


@pytest.mark.long  # a broker of its own
@pytest.mark.kafka
def test_the_broker_starts_as_it_is_told(compose, tmp_path):
    broker = Composed(tmp_path / "broker")
    broker.configure(compose["services"]["kafka"]["environment"])
    cluster = ("format", "-t", "5L6g3nShT-eMCtK--X86sw", "-c", broker._properties)
    formatted = subprocess.run(
        broker._java("kafka.tools.StorageTool", *cluster),
        capture_output=True,
        text=True,
        check=False,
    )
    assert formatted.returncode == 0, formatted.stdout + formatted.stderr
    broker.launch()
    try:
        until_ready(broker)
        admin = KafkaAdminClient(
            bootstrap_servers=broker.address, kafka_client=connecting
        )
        assert len(admin.describe_cluster()["brokers"]) == 1
        admin.close()
    finally:
        broker.stop()
