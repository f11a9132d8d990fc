import msgspec
import pytest

from domain.event import tag_of
from domain.events import EVENT_BY_TAG, EVENTS
from domain.names import encode_id, public_id, shard_of
from infra.codec.shape import Shape
from infra.upcasters import UPCASTERS, upcast
from tests.golden.build import DEFAULTS, FOLDER, defaults_of, golden

FILES = sorted(FOLDER.glob("*.json"))
NOW = 'run "python tests/golden/build.py" and commit what it writes'


def within(now, kept):
    """Leave out what was added since: a field with a default changes no history."""
    if isinstance(now, dict) and isinstance(kept, dict):
        return {key: within(now[key], kept[key]) for key in now if key in kept}
    if isinstance(now, list) and isinstance(kept, list) and len(now) == len(kept):
        return [within(*pair) for pair in zip(now, kept, strict=True)]
    return now


def test_every_event_has_a_golden_file():
    missing = {tag_of(event) for event in EVENTS} - {file.stem for file in FILES}
    assert not missing, NOW


def test_no_tag_is_used_twice():
    assert len({tag_of(event) for event in EVENTS}) == len(EVENTS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_was_stored_once_reads_and_is_stored_the_same_today(file):
    kept = msgspec.json.decode(file.read_bytes())
    step = UPCASTERS.get(kept["tag"])
    event_class = EVENT_BY_TAG.get(kept["tag"]) or (step and step.old)
    assert event_class, f"{kept['tag']} disappeared: the log may hold such events"
    personal = kept["personal"]
    event = Shape(event_class).join(
        msgspec.json.encode(kept["clear"]),
        None if personal is None else msgspec.json.encode(personal),
    )
    now = msgspec.json.decode(golden(event))
    assert within(now, kept) == kept
    if now == kept:  # nothing was added since: not a byte differs
        assert golden(event) == file.read_bytes()
    assert tag_of(upcast(event, UPCASTERS)) in EVENT_BY_TAG


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_lacks_a_later_field_gets_the_default_it_always_got(file):
    frozen = msgspec.json.decode(DEFAULTS.read_bytes())[file.stem]
    event_class = EVENT_BY_TAG.get(file.stem) or UPCASTERS[file.stem].old
    assert defaults_of(event_class) == frozen, NOW


def test_every_frozen_default_is_of_an_event_with_a_golden_file():
    frozen = msgspec.json.decode(DEFAULTS.read_bytes())
    assert set(frozen) == {file.stem for file in FILES}


@pytest.mark.parametrize(
    ("ordering_key", "shard"),
    [
        ("", 510),
        ("team", 868),
        ("team/s", 237),
        ("team/peer/alice", 71),
        ("team/alice/bob", 341),
        ("Ärger/ß", 989),
    ],
)
def test_the_shard_of_an_ordering_key_never_changes(ordering_key, shard):
    assert shard_of(ordering_key) == shard


@pytest.mark.parametrize(
    ("command", "ordinal", "public"),
    [
        (bytes(16), 0, "nZCOz7ayVt74tJp8UE5si"),
        (bytes(16), 1, "7Yt7LCxrrjplD_FWmbVjF"),
        (bytes(range(16)), 2**40, "FbOvCOnr2owOSL7JbhlFk"),
    ],
)
def test_a_processors_public_ids_never_change(command, ordinal, public):
    assert public_id(command, ordinal) == public


def test_ids_are_spelled_over_the_same_letters_for_ever():
    assert encode_id(0) == "A" * 21
    assert encode_id(2**126 - 1) == "-" * 21
    assert encode_id(63 * 64 + 26) == "A" * 19 + "-a"
