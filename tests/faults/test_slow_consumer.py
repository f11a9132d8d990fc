"""A model that takes its time: the group stays as it is, and everything is derived."""

import contextlib
import signal
import threading
import time

import pytest
from kafka import KafkaAdminClient

from infra.kafka.connecting import connecting
from tests.e2e.test_models import thinking
from tests.support.command import until
from tests.support.fleet_law import until_quiet
from tests.support.openai_stub import openai_stub
from tests.support.stub_replies import Answer
from tests.support.talk import author_of, sentence_of

pytestmark = pytest.mark.kafka

SETTLES = 2.0
"""Seconds without a rebalance after which none is to come."""


def concluded(number):
    return f"{author_of(number)} told: {sentence_of(number)}"


@contextlib.contextmanager
def workers_on_a_model(deployment, seconds, **further):
    """Both workers ask a model that answers after so many seconds; others do later."""
    fleet = deployment.fleet
    with openai_stub(key="k") as stub:
        stub.otherwise = lambda call: Answer(text=thinking(call), delay=seconds)
        told = {
            "LLM_OPENAI_BASE_URL": stub.url,
            "LLM_OPENAI_API_KEY": "k",
            "DERIVER_FLUSH_ENABLED": "true",
            # Who dreams on a model is another consumer: the offline one would lag.
            "DREAM_DEDUCTION_MODEL_CONFIG__TRANSPORT": "anthropic",
            "DREAM_INDUCTION_MODEL_CONFIG__TRANSPORT": "anthropic",
        }
        for each in fleet.of("worker"):
            assert each.stop() == 0
        slow = [fleet.add("worker", **told, **further) for _ in range(2)]
        fleet.until_ready()
        yield stub
        for each in slow:
            assert each.stop() == 0
    for _ in range(2):
        fleet.add("worker")
    fleet.until_ready()


class Watch(threading.Thread):
    """Looks at the group again and again; keeps each different answer once."""

    def __init__(self, deployment):
        super().__init__(daemon=True)
        self.group = deployment.group
        self.admin = KafkaAdminClient(
            bootstrap_servers=deployment.cluster.servers, kafka_client=connecting
        )
        self.seen = []
        self.over = threading.Event()

    def look(self):
        """Return the state of the group, and what each member has."""
        told = self.admin.describe_groups([self.group])[self.group]
        shares = {
            each["member_id"]: sum(
                len(topic["partitions"])
                for topic in (each["member_assignment"] or {}).get(
                    "assigned_partitions", ()
                )
            )
            for each in told["members"]
        }
        return told["group_state"], shares

    def until_settled(self):
        """Wait until all is shared out, and those that joined have said so again.

        A member that gives a partition away joins once more when it has let go.
        """
        since = time.monotonic()

        def settled():
            nonlocal since
            state, shares = self.look()
            if state != "Stable" or sorted(shares.values()) != [1, 2]:
                since = time.monotonic()
            return time.monotonic() - since > SETTLES

        until(settled)

    def run(self):
        while not self.over.wait(0.2):
            if (found := self.look()) not in self.seen:
                self.seen.append(found)

    def stop(self):
        self.over.set()
        if self.is_alive():
            self.join(60)
        self.admin.close()


@pytest.fixture(scope="module")
def slow(deployment):
    """A model that takes most of a session, and more than one in all."""
    with workers_on_a_model(deployment, 4.0, KAFKA_SESSION_SECONDS="6") as stub:
        yield stub


def test_a_model_slower_than_a_session_of_the_group_changes_nothing(deployment, slow):
    watch = Watch(deployment)
    try:
        watch.until_settled()
        watch.start()
        deployment.talk(80, 8, concluded=concluded)
        deployment.assert_lawful()
    finally:
        watch.stop()
    assert slow.chats
    assert [state for state, _ in watch.seen] == ["Stable"]


def test_who_wakes_up_in_the_middle_of_work_that_another_has_done_steps_back(
    deployment, slow
):
    """Frozen while it waits for a model, for longer than a session of the group."""
    fleet, asked = deployment.fleet, len(slow.chats)
    before = sum(each.messages for each in deployment.talks)
    frozen = fleet.of("worker")[0]
    talk = deployment.talk(36, 12, concluded=concluded)
    until(lambda: len(slow.chats) > asked + 6)  # both are waiting
    frozen.process.send_signal(signal.SIGSTOP)
    try:
        talk.finish()
        until_quiet(fleet, derived=before + 36, among_frozen=True)
    finally:
        frozen.process.send_signal(signal.SIGCONT)
    deployment.talk(12, 4, concluded=concluded)
    deployment.assert_lawful()
    assert frozen.alive
