"""Every role of a deployment on a broker that asks, each as somebody of its own."""

import json
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection

from typer.testing import CliRunner

from infra.cli.relay import relay
from infra.settings import Settings
from tests.support.command import until
from tests.support.kafka import variables
from tests.support.kafka_secured import Secured
from tests.support.member import Member
from tests.support.roles import Deployment, until_ready
from tests.support.saying import MARKER, say

CHANGED = "not-the-first-one"
GROUP = "said"


@dataclass
class Roles:
    """A deployment, the members of it by role, and what each could not do at first."""

    secured: Secured
    made: Deployment
    members: dict[str, Member]
    troubles: dict[str, str]

    def settings(self, role):
        return Settings(_env_file=None, **by_password(self.secured, role))

    def run(self, *words, role="operator"):
        """Run a command as somebody, here."""
        told = self.made.environment | variables(by_certificate(self.secured, role))
        return CliRunner(env=told).invoke(relay, list(words))


def fields(secured):
    return {
        "feed_type": "kafka",
        "kafka_topic": "events.v1",
        "kafka_dead_letters_topic": "dead-letters.v1",
        "kafka_group_prefix": secured.prefix,
        "kafka_partitions": 3,
    }


def by_password(secured, role, **further):
    known = secured.by_password(f"{secured.prefix}-{role}", **further)
    return fields(secured) | known


def by_certificate(secured, role):
    return fields(secured) | secured.by_certificate(f"{secured.prefix}-{role}")


def printed(secured, *roles):
    """What ``relay acls`` prints for these roles."""
    told = variables(fields(secured)) | {"FEED_TYPE": "postgres"}
    asked = CliRunner(env=told).invoke(relay, ["acls", "--json", "--group", GROUP])
    assert asked.exit_code == 0, asked.output
    names = {f"User:{secured.prefix}-{each}" for each in roles}
    return [each for each in json.loads(asked.stdout) if each["principal"] in names]


def trouble(member):
    """Return why a process cannot do with brokers what it should, None if it can."""
    with closing(HTTPConnection("127.0.0.1", member.port, timeout=120)) as asked:
        asked.request("GET", "/health")
        return json.load(asked.getresponse()).get("kafka")


def _refused(member):
    """Return what brokers refuse; that they took too long, now and then, is nothing."""
    why = trouble(member)
    return why if why and why.startswith("brokers do not") else None


def _allow_by_and_by(roles):
    """Give what is missing one after the other, once that it is was told."""
    secured, members, told = roles.secured, roles.members, roles.troubles
    told["name"] = until(lambda: _refused(members["relay"]))
    secured.change_password(f"{secured.prefix}-relay", CHANGED)
    told["relay"] = until(
        lambda: {_refused(members["relay"])} - {None, told["name"]}
    ).pop()
    secured.allow(printed(secured, "relay"))
    until(lambda: trouble(members["relay"]) is None)
    for each in ("worker", "projector"):
        told[each] = until(lambda each=each: _refused(members[each]))
    secured.allow(printed(secured, "worker", "projector", "analytics", "operator"))
    for each in ("worker", "projector"):
        until(lambda each=each: trouble(members[each]) is None)
    say(members["api"].url, f"I live in {MARKER} street in Ghent.")


def started(secured, made):
    """Start all before anybody is allowed anything, one by a password that is wrong."""
    assert "are current" in made.run("migrate")
    plain = {"kafka_sasl_mechanism": "PLAIN"}
    told = {
        "relay": by_password(secured, "relay", kafka_sasl_password=CHANGED),
        "worker": by_password(secured, "worker", **plain),
        "projector": by_certificate(secured, "projector"),
    }
    words = {"relay": ("relay", "run")}
    members = {
        role: made.launch(*words.get(role, (role,)), **variables(known))
        for role, known in told.items()
    }
    members["api"] = made.launch("api")
    for each in members.values():
        until_ready(each)
    found = Roles(secured, made, members, {})
    _allow_by_and_by(found)
    return found
