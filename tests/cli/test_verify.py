"""``palimpsest verify`` on real data folders: sound, tampered with, put back."""

import json

import pytest

from infra.postgres.embedded import running_cluster
from tests.support.data_folders import OFTEN, tamper
from tests.support.saying import MARKER, say
from tests.support.server import Server


def test_beside_the_server_and_after_it_all_holds(folders):
    code, report = folders.beside
    assert (code, report["ok"]) == (0, True), report
    assert len(report["views"]["sessions"]) == 2
    assert report["signed"]["checkpoints"] > 0
    code, report = folders.verify(folders.newer, "--all")
    assert (code, report["ok"]) == (0, True), report
    assert report["views"]["sessions"] is None
    assert (
        report["head"] == report["chain"]["position"] == folders.signed[1]["position"]
    )
    assert [key["present"] for key in report["signed"]["keys"]] == [True]
    assert not (folders.newer / "postgres.pid").exists()


def test_what_it_says_is_read_by_people_and_quotes_nobody(folders):
    ended = folders.shell.run("verify", "--data", str(folders.newer))
    assert ended.code == 0
    assert ended.out.splitlines()[-1] == "all of it holds"
    assert f"chain of {folders.signed[1]['position']} events" in ended.out
    assert MARKER not in ended.out
    assert ended.err == ""


def test_the_log_holds_what_was_signed_before(folders):
    key = folders.signed[1]["public_key"]
    words = ("--against", str(folders.kept), "--public-key", key)
    code, report = folders.verify(folders.newer, "--log-only", *words)
    assert (code, report["against"], report["views"]) == (0, [], None)
    other = ("--against", str(folders.kept), "--public-key", "00" * 32)
    code, report = folders.verify(folders.newer, "--log-only", *other)
    assert (code, [each["wrong"] for each in report["against"]]) == (1, ["key"] * 2)


def test_an_older_copy_put_back_is_named(folders):
    """It holds in itself; only what was kept elsewhere tells."""
    assert folders.verify(folders.older)[0] == 0
    code, report = folders.verify(folders.older, "--against", str(folders.kept))
    assert code == 1
    (told,) = report["against"]
    assert told["wrong"] == "cut off"
    assert told["position"] == folders.signed[1]["position"]
    assert told["event"] == folders.signed[1]["event"]
    assert told["head"] == folders.signed[0]["position"]
    words = ("--against", str(folders.kept), "--data", str(folders.older))
    said = folders.shell.run("verify", "--log-only", *words)
    assert said.code == 1
    assert (
        f"position {told['position']} was signed as event {told['event']}" in said.out
    )


@pytest.mark.parametrize("position", [3, 11])
def test_a_flipped_byte_names_its_position(folders, position):
    data = folders.copy(f"flipped-{position}")
    flip = f"set_byte(data, 9, get_byte(data, 9) # 4) WHERE position = {position}"
    event = tamper(data, f"UPDATE log.event SET data = {flip} RETURNING id")  # noqa: S608  ours
    code, report = folders.verify(data)
    assert code == 1
    broken = report["chain"]["broken"]
    assert (broken["position"], broken["first"]) == (position, position)
    assert broken["event"] == str(event)
    assert report["views"] is None  # nothing follows from a broken log
    said = folders.shell.run("verify", "--data", str(data))
    assert said.code == 1
    assert f"BROKEN chain at position {position} (event {event})" in said.out


def test_a_byte_flipped_on_the_disk_is_found(folders):
    data = folders.copy("disk")
    path = tamper(data, "CHECKPOINT", "SELECT pg_relation_filepath('log.event')")
    event = bytes.fromhex(folders.signed[1]["event"].replace("-", ""))
    (file,) = [each for each in data.rglob(path.rpartition("/")[2]) if each.is_file()]
    content = bytearray(file.read_bytes())
    at = content.rindex(event)
    content[at + 15] ^= 1
    file.write_bytes(content)
    code, report = folders.verify(data)
    assert code == 1, report
    assert report["chain"]["broken"]["position"] <= folders.signed[1]["position"]


def test_a_row_that_does_not_follow_is_named(folders):
    data = folders.copy("shown")
    tamper(data, "UPDATE view.message SET content = 'tea' WHERE seq = 1 RETURNING 1")
    code, report = folders.verify(data)
    assert code == 1
    assert {
        (each["table"], each["key"]["session"], tuple(each["columns"]))
        for each in report["views"]["differences"]
    } == {("message", name, ("content",)) for name in ("one", "two")}
    said = folders.shell.run("verify", "--data", str(data))
    assert "BROKEN view message: " in said.out
    assert MARKER not in said.out


def test_a_processor_ahead_of_the_log_stops_the_start_until_it_is_reset(folders):
    data = folders.copy("ahead")
    tamper(
        data,
        "UPDATE work.checkpoint SET position = 900, event = gen_random_uuid()"
        " WHERE processor = 'derive_conclusions' RETURNING 1",
    )
    code, report = folders.verify(data, "--sample", "0")
    assert code == 1
    (told,) = report["consumers"]
    assert (told["name"], told["position"]) == ("derive_conclusions", 900)
    up = folders.shell.run("up", "--port", "0", "--data", str(data))
    assert up.code == 2
    assert "palimpsest reset derive_conclusions" in up.err
    done = folders.shell.run("reset", "derive_conclusions", "--data", str(data))
    assert done.code == 0, done
    assert folders.verify(data, "--sample", "0")[0] == 0
    server = Server(data)
    server.start()
    assert server.stop() == 0


def test_views_of_another_log_are_named_before_anything_is_folded(folders):
    data = folders.copy("other-views")
    change = "position = 900 WHERE projection = 'messages' RETURNING event"
    event = tamper(data, f"UPDATE view.checkpoint SET {change}")  # noqa: S608  ours
    code, report = folders.verify(data, "--all")
    assert (code, report["views"]) == (1, None)
    (told,) = report["consumers"]
    assert (told["name"], told["position"], told["event"]) == (
        "messages",
        900,
        str(event),
    )
    assert (told["found"], told["head"]) == (None, report["head"])


def test_the_log_alone_needs_no_key(folders):
    data = folders.copy("keyless")
    for name in ("master.key", "signing.key"):
        (data / name).unlink()
    code, report = folders.verify(data, "--log-only")
    assert (code, [key["present"] for key in report["signed"]["keys"]]) == (0, [False])
    assert not list(data.glob("*.key"))
    ended = folders.shell.run("verify", "--data", str(data))
    assert "master key" in ended.refusal


def test_a_server_with_another_key_goes_on_and_says_so(folders):
    data = folders.copy("rotated")
    (data / "signing.key").unlink()
    server = Server(data, environment=OFTEN)
    server.start()
    say(server.url, "I like tea.", "three")
    assert server.stop() == 0
    code, report = folders.verify(data, "--against", str(folders.kept))
    assert (code, report["against"]) == (0, [])
    assert [key["present"] for key in report["signed"]["keys"]] == [False, True]
    status = folders.shell.run("status", "--json", "--data", str(data))
    signed = json.loads(status.out)["checkpoint"]
    assert signed["position"] == report["head"]
    assert signed["key_id"] == report["signed"]["keys"][1]["key_id"]
    shown = folders.shell.run("status", "--data", str(data)).out
    assert f"signed up to position {signed['position']}, " in shown


def test_a_public_key_alone_says_nothing(folders):
    ended = folders.shell.run("verify", "--public-key", "00", "--log-only")
    assert ended.code == 2
    assert "--against" in ended.err


def test_running_again_it_is_looked_at_as_it_grows(folders):
    """Verify needs no rest: the log and the views are looked at in one moment."""
    server = Server(folders.copy("running"), environment=OFTEN)
    server.start()
    try:
        for number in range(3):
            looking = folders.shell.start(
                "verify", "--json", "--all", "--data", str(server.data)
            )
            say(server.url, f"I like tea number {number}.", f"more-{number}")
            out, err = looking.communicate(timeout=120)
            assert json.loads(out)["ok"], (out, err)
        assert running_cluster(server.data) is not None
    finally:
        assert server.stop() == 0
