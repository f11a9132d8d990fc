"""What whoever may write everything makes anew or forges: named, on real folders."""

import base64
import json

import pytest

from tests.support.data_folders import tamper

MADE_ANEW = """
DO $$ DECLARE r record; link bytea := decode(repeat('00', 32), 'hex'); all_ bytea := '';
    one bytea;
BEGIN
    FOR r IN SELECT * FROM log.event ORDER BY position LOOP
        one := log.digest(r.position, r.recorded_at, r.id, r.version, r.shard,
            r.stream, r.tenant, r.type, r.meta, r.data);
        all_ := all_ || one;
        UPDATE log.event SET digest = one WHERE position = r.position;
        IF r.link IS NOT NULL THEN
            link := sha256(link || all_);
            all_ := '';
            EXECUTE 'UPDATE log.event SET link = $1 WHERE position = $2'
                USING link, r.position;
        END IF;
    END LOOP;
END $$
"""


@pytest.mark.parametrize(
    "change",
    ["data = '{]' WHERE type = 'message-added'", "meta = '!' WHERE position = 5"],
)
def test_what_cannot_be_opened_in_a_chain_made_anew_is_named(folders, change):
    data = folders.copy("anew-" + change[:4])
    update = f"UPDATE log.event SET {change} RETURNING position"  # noqa: S608  ours
    position = tamper(data, update)
    tamper(data, MADE_ANEW)
    code, report = folders.verify(data, "--all")
    assert (code, report["chain"]["broken"]) == (1, None)
    assert report["unreadable"] == position
    assert (report["views"], report["orphans"]) == (None, None)
    assert report["signed"]["refuted"] != []
    said = folders.shell.run("verify", "--all", "--data", str(data))
    assert f"BROKEN position {position} cannot be opened" in said.out


@pytest.mark.parametrize("content", ["", "\n\n", "\n{}\n"])
def test_a_file_without_checkpoints_proves_nothing_and_is_named(folders, content):
    file = folders.folder / "nothing.jsonl"
    file.write_text(content)
    words = ("--against", str(file), "--data", str(folders.newer))
    ended = folders.shell.run("verify", "--log-only", *words)
    told = "line 2: no checkpoint" if content.strip() else "holds no checkpoint"
    assert str(file) in ended.refusal
    assert told in ended.refusal


@pytest.mark.parametrize("uri", ["garbage", "mysql://u:hush@h/x"])
def test_keys_that_are_nowhere_are_one_line(folders, uri):
    words = ("verify", "--data", str(folders.newer))
    ended = folders.shell.run(*words, KEYS_CONNECTION_URI=uri)
    assert "KEYS_CONNECTION_URI is no address" in ended.refusal
    assert "hush" not in ended.refusal


def test_what_is_printed_now_is_signed_by_the_key_here(folders):
    """Whoever else signed the same position, before or after."""
    data = folders.copy("two-keys")
    mine = folders.signed[1]["public_key"]
    secret = {"KEYS_SIGNING_KEY": base64.b64encode(bytes(32)).decode()}
    words = ("checkpoint", "--now", "--data", str(data))
    other = json.loads(folders.shell.run(*words, **secret).out)
    assert other["public_key"] != mine
    again = json.loads(folders.shell.run(*words).out)
    assert (again["public_key"], again["position"]) == (mine, other["position"])


def test_a_forged_checkpoint_is_not_handed_out(folders):
    data = folders.copy("forged")
    tamper(
        data,
        "INSERT INTO log.checkpoint SELECT 900, made_at, event, link, public_key,"
        " signature FROM log.checkpoint LIMIT 1 RETURNING 1",
    )
    ended = folders.shell.run("checkpoint", "--data", str(data))
    assert (ended.code, ended.out) == (1, "")
    assert "forged" in ended.err


def test_status_and_verify_name_what_views_cannot_get_past(folders):
    """Two are damaged, and views stand before them: the first is named."""
    data = folders.copy("stopped")
    said = "SELECT min(position) FROM log.event WHERE type = 'message-added'"
    first = tamper(data, said)
    tamper(
        data,
        "UPDATE log.event SET data = '{]'"  # noqa: S608  a number
        f" WHERE position BETWEEN {first} AND {first + 1} RETURNING 1",
        MADE_ANEW,
        "UPDATE view.checkpoint SET position = e.position, event = e.id"  # noqa: S608  a number
        f" FROM log.event AS e WHERE e.position = {first - 1} RETURNING 1",
    )
    words = ("status", "--data", str(data))
    stopped = json.loads(folders.shell.run(*words, "--json").out)["stopped"]
    assert (stopped["position"], stopped["type"]) == (first, "message-added")
    assert f"views stop at position {first}" in folders.shell.run(*words).out
    code, report = folders.verify(data)
    assert (code, report["unreadable"]) == (1, first)


def test_status_names_an_event_of_a_time_that_nobody_can_read(folders):
    """Views stand before it; its type is known to nobody either."""
    data = folders.copy("timeless")
    first = tamper(
        data, "SELECT min(position) FROM log.event WHERE type = 'message-added'"
    )
    tamper(
        data,
        "UPDATE log.event SET recorded_at = '200000-01-01'"  # noqa: S608  a number
        f" WHERE position = {first} RETURNING 1",
        "UPDATE view.checkpoint SET position = e.position, event = e.id"  # noqa: S608  a number
        f" FROM log.event AS e WHERE e.position = {first - 1} RETURNING 1",
    )
    ended = folders.shell.run("status", "--data", str(data), "--json")
    assert json.loads(ended.out)["stopped"]["position"] == first
