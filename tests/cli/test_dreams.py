"""A dream is asked for and listed beside a running server, and counted."""

import json

from tests.support.command import until
from tests.support.load import plain_client
from tests.support.server import Server


def test_scheduled_listed_and_counted(looking, tmp_path):
    server = Server(tmp_path / "data")
    place = ("--data", str(server.data))
    server.start()
    try:
        nobody = looking.run("dreams", "schedule", "nowhere", "ann", *place)
        assert nobody.code == 1
        assert "not found" in nobody.err
        with plain_client(server.url) as http:
            http.post("/v3/workspaces", json={"id": "w"})
            http.post("/v3/workspaces", json={"id": "v"})
        empty = looking.run("dreams", "list", *place)
        assert (empty.code, empty.out.strip()) == (0, "nobody dreams")
        asked = ("w", "ann", "--observed", "bob", "--card")
        made = looking.run("dreams", "schedule", *asked, *place)
        assert (made.code, made.out.strip()) == (0, "scheduled")

        def listed(*more):
            return json.loads(
                looking.run("dreams", "list", "--json", *more, *place).out
            )

        def over():
            [dream] = listed("-w", "w")
            return dream["state"] == "completed"

        until(over)
        [dream] = listed("-w", "w")
        assert (dream["workspace"], dream["observer"]) == ("w", "ann")
        assert (dream["observed"], dream["kind"]) == ("bob", "card_refresh")
        assert dream["trigger"] == "asked"
        assert listed() == [dream]
        assert listed("-w", "v") == []
        assert "ann" in looking.run("dreams", "list", *place).out
        now = json.loads(looking.run("status", "--json", *place).out)
        assert (now["dreams"], now["stuck"]) == ({}, [])
    finally:
        server.stop()
