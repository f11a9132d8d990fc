"""Schemas of events, printed and written as files, without a database."""

import json

from jsonschema import Draft202012Validator

from domain.events import EVENT_BY_TAG
from tests.golden.build import FOLDER


def test_schemas_are_printed_by_tag(shell):
    ended = shell.run("schemas")
    assert ended.code == 0, ended
    assert set(json.loads(ended.out)) >= set(EVENT_BY_TAG)


def test_schemas_are_written_as_files_and_can_be_written_again(shell):
    folder = shell.folder / "a" / "schemas"
    for _ in range(2):
        ended = shell.run("schemas", "--out", str(folder), KAFKA_TOPIC="ours.events")
        assert ended.code == 0, ended
    written = {file.stem for file in folder.iterdir()}
    assert written >= {*EVENT_BY_TAG, "asyncapi"}
    schema = json.loads((folder / "message-added.json").read_text())
    kept = json.loads((FOLDER / "message-added.json").read_text())
    Draft202012Validator(schema).validate(kept["clear"] | kept["personal"])
    told = json.loads((folder / "asyncapi.json").read_text())
    assert told["channels"]["events"]["address"] == "ours.events"


def test_a_folder_that_cannot_be_written_is_said_in_one_line(shell):
    (shell.folder / "file").write_text("")
    ended = shell.run("schemas", "--out", str(shell.folder / "file"))
    assert ended.code == 2, ended
    assert ended.err.count("\n") == 1
