"""The roles on a broker with TLS, passwords, certificates and an authorizer."""

import asyncio
import gc
import json
from contextlib import closing

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from infra.kafka.client import client_options
from infra.kafka.consumer_thread import ConsumerThread
from infra.kafka.generations import Generation
from infra.kafka.names import transactional_id_of
from infra.kafka.producer import PageProducer
from infra.kafka.tails import read_tails
from infra.kafka.trouble import told
from infra.settings import Settings
from tests.infra.kafka.test_fencing import records
from tests.support.certificates import Authority
from tests.support.command import until
from tests.support.kafka import variables
from tests.support.kafka_secured import secured_broker
from tests.support.ports import free_port
from tests.support.roles import deployment
from tests.support.saying import say
from tests.support.secured_roles import (
    GROUP,
    by_certificate,
    by_password,
    printed,
    started,
    trouble,
)

pytestmark = pytest.mark.kafka

WITHIN = 60.0
CUT_OFF = "brokers close the connection before it begins: KAFKA_SECURITY_PROTOCOL"
NOBODY = "KafkaTimeoutError"


@pytest.fixture(scope="module")
def secured(tmp_path_factory):
    with secured_broker(tmp_path_factory.mktemp("secured") / "broker") as broker:
        yield broker


@pytest.fixture(scope="module")
def roles(secured, postgres_address, tmp_path_factory):
    folder = tmp_path_factory.mktemp("roles")
    with deployment(postgres_address, folder) as made:
        yield started(secured, made)


def test_what_is_missing_is_told_in_one_line_and_healed_by_who_gives_it(roles):
    wants = "brokers do not allow us what we need of the {}: see palimpsest relay acls"
    assert roles.troubles == {
        "name": "brokers do not accept the name and the password (KAFKA_SASL_USERNAME,"
        " KAFKA_SASL_PASSWORD)",
        "relay": wants.format("topic events.v1"),
        "worker": wants.format(f"group {roles.secured.prefix}.workers"),
        "projector": wants.format("topic events.v1"),
    }
    for role in ("relay", "worker", "projector"):
        said = roles.members[role].said()
        assert said.count(roles.troubles[role]) == 1, said
        assert not any(each in said for each in roles.secured.passwords.values())
    assert roles.members["relay"].said().count(roles.troubles["name"]) == 1


def test_each_role_does_its_work_with_what_is_printed(roles):
    assert roles.run("repartition", "--partitions", "5").exit_code == 0
    assert roles.run("rebuild-topic").exit_code == 0
    say(roles.members["api"].url, "I keep two goats.")
    status = json.loads(roles.run("status", "--json").stdout)
    assert [each["partitions"] for each in status["generations"]] == [3, 5, 5]
    verified = roles.run("verify", "--json")
    assert verified.exit_code == 0, verified.output
    assert [each["wrong"] for each in json.loads(verified.stdout)["topics"]] == [{}] * 3
    counts = variables(by_certificate(roles.secured, "analytics"))
    roles.made.run("analytics", "run", "--once", **counts)
    for each in ("relay", "worker", "projector"):
        assert trouble(roles.members[each]) is None


def test_a_worker_sends_dead_letters(roles):
    told = json.loads(roles.run("status", "--json").stdout)["generations"]
    [serving] = [each["topic"] for each in told if each["state"] == "serving"]
    servers = {"bootstrap_servers": roles.secured.cluster.servers}
    with closing(KafkaProducer(**servers)) as anybody:
        anybody.send(serving, b"no event", partition=0).get(60)
    with closing(KafkaConsumer(**servers, auto_offset_reset="earliest")) as reader:
        reader.assign([TopicPartition("dead-letters.v1", 0)])
        [records] = until(lambda: reader.poll(500)).values()
    assert {each.value for each in records} == {b"no event"}


@pytest.mark.parametrize("role", ["worker", "projector", "analytics", "reader"])
def test_who_only_reads_cannot_forge_an_event(roles, role):
    roles.secured.allow(printed(roles.secured, "reader"))
    options = client_options(roles.settings(role), "forger")
    with (
        closing(KafkaProducer(**options, enable_idempotence=False)) as forger,
        pytest.raises(TopicAuthorizationFailedError),
    ):
        forger.send("events.v1", b"forged", partition=0).get(60)


def test_who_may_not_write_is_told_so_and_not_that_it_took_too_long(secured):
    settings, topic = Settings(_env_file=None, **by_password(secured, "nobody")), "x"
    with secured.admin() as admin:
        admin.create_topics({topic: {"num_partitions": 2}})
    given = [
        ("TOPIC", topic, "DESCRIBE"),
        ("TRANSACTIONAL_ID", transactional_id_of(settings, topic), "WRITE"),
    ]
    who = {"principal": f"User:{secured.prefix}-nobody", "pattern": "LITERAL"}
    secured.allow(
        who | {"resource": kind, "name": name, "operations": [operation]}
        for kind, name, operation in given
    )
    producer = PageProducer(settings, topic)
    with closing(producer):
        producer.fence()
        with pytest.raises(TopicAuthorizationFailedError):
            producer.write(records(1))


def test_a_stranger_reads_and_is_no_worker(roles):
    roles.secured.allow(printed(roles.secured, "reader"))
    options = client_options(roles.settings("reader"), "stranger")
    options |= {"auto_offset_reset": "earliest", "enable_auto_commit": False}
    workers = f"{roles.secured.prefix}.workers"
    with (
        closing(KafkaConsumer("events.v1", **options, group_id=workers)) as stranger,
        pytest.raises(GroupAuthorizationFailedError),
    ):
        until(lambda: stranger.poll(500))
    with closing(KafkaConsumer("events.v1", **options, group_id=GROUP)) as stranger:
        assert until(lambda: stranger.poll(500))
        # An operator sees that somebody reads it, whoever that is.
        listed = json.loads(roles.run("retire", "--json").stdout)["generations"]
        assert {each["topic"]: names(each) for each in listed} == {
            "events.v1": {GROUP},
            "events.v1-g2": set(),
        }
    until(lambda: roles.run("retire", "--yes").exit_code == 0)


def names(generation):
    return {each["name"] for each in generation["readers"]} - {"lagging"}


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("elsewhere"), "elsewhere")


def ways(secured, elsewhere):
    """Ways not to come in, and what each is told."""
    over = secured.authority.issue("over", over=True)
    unknown = elsewhere.issue("unknown")
    untrusted = "the certificate of the brokers is not trusted ("
    not_ours = "brokers do not accept our certificate ("
    admin, ours = secured.by_password("admin"), secured.by_certificate("admin")
    nothing = {"kafka_ssl_certfile": None, "kafka_ssl_keyfile": None}
    nobody, misnamed = f"127.0.0.1:{free_port()}", f"localhost:{secured.scram}"
    plain = secured.cluster.servers
    return [
        (admin | {"kafka_sasl_password": "no"}, "brokers do not accept the name"),
        (admin | {"kafka_sasl_mechanism": "SCRAM-SHA-256"}, "brokers do not speak"),
        (admin | {"kafka_ssl_cafile": str(elsewhere.cafile)}, untrusted),
        (admin | {"kafka_bootstrap_servers": misnamed}, untrusted),
        (admin | {"kafka_security_protocol": "PLAINTEXT"}, CUT_OFF),
        (admin | {"kafka_bootstrap_servers": plain}, CUT_OFF),
        (ours | certified(over), not_ours),
        (ours | certified(unknown), not_ours),
        (ours | nothing, not_ours),
        (admin | {"kafka_bootstrap_servers": nobody}, NOBODY),
    ]


def certified(certificate):
    return {
        "kafka_ssl_certfile": str(certificate.certfile),
        "kafka_ssl_keyfile": str(certificate.keyfile),
    }


@pytest.fixture
def _collected():
    """No socket is left to the collector."""
    yield
    gc.collect()


@pytest.mark.usefixtures("_collected")
def test_why_brokers_refuse_is_told_apart_from_where_none_is(secured, elsewhere):
    for given, said in ways(secured, elsewhere):
        options = client_options(Settings(_env_file=None, **given), "x")
        is_sure = said not in (CUT_OFF, NOBODY)
        within = 20_000 if is_sure else 1_000
        with pytest.raises(KafkaError) as refused:
            KafkaAdminClient(**options, bootstrap_timeout_ms=within)
        assert told(refused.value).startswith(said), given


def test_a_renewed_certificate_counts_without_a_restart(secured):
    given = secured.by_certificate("admin")
    secured.authority.issue("admin", over=True)  # the same files

    async def read():
        options = client_options(Settings(_env_file=None, **given), "x")
        consumer = ConsumerThread(options)
        consumer.start()
        try:
            parts = asyncio.create_task(consumer.parts("no-topic"))
            async with asyncio.timeout(WITHIN):
                while consumer.away.now is None:  # noqa: ASYNC110  it sets no event
                    await asyncio.sleep(0.01)
                assert "do not accept our certificate" in consumer.away.now
                secured.authority.issue("admin")
                return await parts
        finally:
            await consumer.close()

    assert not asyncio.run(read())


def test_a_forbidden_topic_is_not_a_lost_one(roles):
    settings = roles.settings("nobody")
    generation = Generation(number=1, topic="events.v1", partitions=3, state="serving")
    with pytest.raises(TopicAuthorizationFailedError):
        asyncio.run(read_tails(settings, generation))


def test_nobody_left_a_traceback_and_all_end_well(roles):
    assert roles.made.stop() == {}
    for each in roles.members.values():
        assert "Traceback" not in each.said()
