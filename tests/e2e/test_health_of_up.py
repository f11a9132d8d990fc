"""``palimpsest up`` on Kafka tells in ``/health`` what keeps it from the brokers."""

from functools import partial

import pytest

from tests.support.command import until
from tests.support.kafka import environment_apart, variables
from tests.support.load import plain_client
from tests.support.proxy import proxied
from tests.support.server import running

pytestmark = pytest.mark.kafka

eventually = partial(until, within=60.0)


def test_brokers_that_are_away_are_told_of_as_long_as_they_are(kafka, tmp_path):
    """It is well without them: it takes messages, shows them, and goes on later."""
    [_, port] = kafka.split(",")[0].split(":")
    with proxied(int(port)) as proxy:
        proxy.cut()
        settings = variables(environment_apart(f"127.0.0.1:{proxy.port}"))
        with (
            running(tmp_path / "data", settings) as server,
            plain_client(server.url) as http,
        ):

            def told():
                answer = http.get("/health")
                assert answer.status_code == 200
                return answer.json()

            eventually(lambda: told().keys() == {"status", "kafka"})
            proxy.mend()
            eventually(lambda: told() == {"status": "ok"})
