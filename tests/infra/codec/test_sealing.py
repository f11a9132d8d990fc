from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.event import ERASED, Event, Personal, Subject, subject_of
from domain.events import EVENT_BY_TAG
from infra.codec.errors import Unreadable
from infra.codec.seal import DataKey, place_of
from infra.codec.shape import Shape
from infra.codec.unknown import Unknown
from infra.postgres.mapper import Draft, SealedEvent, StructMapper
from infra.upcasters import UPCASTERS, Upcaster, UpcastError
from tests.support.log import said

KEY = DataKey(77, bytes(range(32)))
ID = UUID(int=5)
MAPPER = StructMapper(EVENT_BY_TAG, UPCASTERS)

names = st.text(st.characters(exclude_categories=("Cs",)), max_size=6)
places = st.tuples(
    names, names, names, st.integers(0, 2**128 - 1), st.integers(1, 2**53)
)


def stored(event, mapper=MAPPER, key=KEY):
    draft = Draft(
        "session-team+s", 1, "team", ID, event.__struct_config__.tag, event,
        mapper.split(event), key=key,
    )  # fmt: skip
    return mapper.to_stored_event(draft)


def opened(kept, mapper=MAPPER, key=KEY, **moved):
    fields = {
        "originator_id": kept.originator_id,
        "originator_version": 1,
        "topic": kept.topic,
        "state": kept.state,
        "tenant": "team",
        "event_id": ID,
        "sealing": mapper.sealing_of(kept.topic, kept.state),
        "key": key,
    }
    return mapper.to_domain_event(SealedEvent(**{**fields, **moved})).event


def test_an_event_comes_back_as_it_went():
    event = said("I moved to Ørsta 🎉")
    assert opened(stored(event)) == event


def test_nothing_personal_is_stored_in_the_clear():
    state = stored(said("tell nobody")).state
    assert b"tell nobody" not in state
    assert b"calm" not in state
    assert msgspec.json.decode(state)["author"] == "alice"
    assert msgspec.json.decode(state)["key"] == 77


@pytest.mark.parametrize(
    "moved",
    [
        {"tenant": "other"},
        {"originator_id": "session-team+t"},
        {"event_id": UUID(int=6)},
        {"key": DataKey(77, bytes(32))},
    ],
    ids=["tenant", "stream", "event", "key"],
)
def test_a_seal_opens_in_its_own_place_only(moved):
    with pytest.raises(Unreadable):
        opened(stored(said("x")), **moved)


def test_a_seal_under_another_key_number_or_type_does_not_open():
    plain, place = b"{}", place_of("t", "s", "message-added", ID, 77)
    sealed = KEY.seal(plain, place)
    assert KEY.open(sealed, place) == plain
    for other in (
        place_of("t", "s", "message-added", ID, 78),
        place_of("t", "s", "summary-produced", ID, 77),
    ):
        with pytest.raises(Unreadable):
            KEY.open(sealed, other)


@given(st.binary(max_size=64), places, places)
@settings(max_examples=200, deadline=None)
def test_no_two_places_are_the_same(plain, here, there):
    def spell(place):
        tenant, stream, tag, event, key = place
        return place_of(tenant, stream, tag, UUID(int=event), key)

    sealed = KEY.seal(plain, spell(here))
    assert KEY.open(sealed, spell(here)) == plain
    if here != there:
        with pytest.raises(Unreadable):
            KEY.open(sealed, spell(there))


@given(st.binary(max_size=80))
def test_rubbish_is_unreadable_not_a_crash(rubbish):
    with pytest.raises(Unreadable):
        KEY.open(rubbish, b"place")


@given(
    st.text(st.characters(exclude_categories=("Cs",))),
    st.dictionaries(
        st.text(st.characters(exclude_categories=("Cs",)), max_size=5),
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text("ab"),
            lambda inner: st.lists(inner, max_size=3),
            max_leaves=4,
        ),
        max_size=3,
    ),
)
@settings(deadline=None)
def test_any_content_survives_and_never_escapes_its_field(content, metadata):
    event = msgspec.structs.replace(said(content), metadata=metadata)
    assert opened(stored(event)) == event


def test_a_destroyed_key_reads_as_erased():
    event = opened(stored(said("gone")), key=None)
    assert event.content == ERASED
    assert event.metadata == {}
    assert event.author == "alice"


class Diary(Event, frozen=True, kw_only=True, tag="diary"):
    text: Personal[str]
    note: Personal[str | None]
    pages: Personal[tuple[str, ...]]
    tags: Personal[list[str]]
    extra: Personal[dict[str, str]]


def test_every_kind_of_field_has_an_erased_form():
    mapper = StructMapper({"diary": Diary}, {})
    diary = Diary(workspace="t", text="a", note="b", pages=("c",), tags=[], extra={})
    assert opened(stored(diary, mapper), mapper) == diary
    erased = opened(stored(diary, mapper), mapper, key=None)
    assert erased == Diary(
        workspace="t",
        text=ERASED,
        note=None,
        pages=(ERASED,),
        tags=[ERASED],
        extra={},
    )


class Inner(msgspec.Struct, frozen=True):
    secret: Personal[str]


class Hiding(Event, frozen=True, kw_only=True, tag="hiding"):
    inner: tuple[Inner, ...]


class Counting(Event, frozen=True, kw_only=True, tag="counting"):
    count: Personal[int]


class Reserved(Event, frozen=True, kw_only=True, tag="reserved"):
    sealed: Annotated[str, msgspec.Meta(max_length=3)]


@pytest.mark.parametrize("event", [Hiding, Counting, Reserved])
def test_a_shape_that_cannot_be_sealed_is_refused_at_the_start(event):
    with pytest.raises(TypeError):
        Shape(event)


def test_every_event_of_today_has_a_shape_and_personal_ones_a_subject():
    for event in EVENT_BY_TAG.values():
        shape = Shape(event)
        assert shape.is_personal or event.sealed_for == (None, None)


def test_whose_key_it_is_follows_from_the_event():
    assert subject_of(said("x")) == Subject("team", "s", "alice")


def test_an_unknown_type_is_kept_as_stored():
    kept = stored(said("x"))
    event = opened(kept, topic="brand-new")
    assert event == Unknown(workspace="team", stored_type="brand-new", raw=kept.state)


def test_a_field_of_a_later_version_is_ignored():
    kept = stored(said("x"))
    later = kept.state[:-1] + b',"colour":"red"}'
    assert opened(kept, state=later) == said("x")


@pytest.mark.parametrize("state", [b"", b"[]", b'{"workspace":1,"key":0}', b'{"a"'])
def test_damaged_data_is_unreadable(state):
    kept = stored(said("x"))
    with pytest.raises(Unreadable):
        opened(
            kept, state=state, sealing=MAPPER.sealing_of(kept.topic, b"{}"), key=None
        )
    with pytest.raises(Unreadable):
        MAPPER.sealing_of(kept.topic, b"[")


def test_an_event_that_is_not_of_the_log_is_not_stored():
    with pytest.raises(ValueError, match="Diary"):
        MAPPER.split(
            Diary(workspace="t", text="", note=None, pages=(), tags=[], extra={})
        )


@pytest.mark.parametrize("value", [{1.5j: 1}, object(), "\ud800"])
def test_a_value_that_json_cannot_hold_is_not_stored(value):
    event = msgspec.structs.replace(said("x"), metadata={"a": value})
    with pytest.raises(ValueError, match=r"."):
        MAPPER.split(event)


class Spoke(Event, frozen=True, kw_only=True, tag="spoke"):
    """The shape of long ago: whole names, one personal text."""

    who: str
    words: Personal[str]


class Said(Event, frozen=True, kw_only=True, tag="said"):
    author: str
    words: Personal[str]


class Uttered(Event, frozen=True, kw_only=True, tag="said@2"):
    author: str
    words: Personal[str]
    at: datetime


def spoke_reads(old):
    return Said(workspace=old.workspace, author=old.who, words=old.words)


def said_reads(old):
    return Uttered(
        workspace=old.workspace,
        author=old.author,
        words=old.words,
        at=datetime(2020, 1, 1, tzinfo=UTC),
    )


TODAY = {"said@2": Uttered}
CHAIN = {
    "spoke": Upcaster(Spoke, "said", spoke_reads),
    "said": Upcaster(Said, "said@2", said_reads),
}


def test_an_old_event_reads_as_one_of_today_through_every_step():
    then = StructMapper({"spoke": Spoke}, {})
    kept = stored(Spoke(workspace="team", who="alice", words="hi"), then)
    now = StructMapper(TODAY, CHAIN)
    assert opened(kept, now) == Uttered(
        workspace="team",
        author="alice",
        words="hi",
        at=datetime(2020, 1, 1, tzinfo=UTC),
    )
    assert opened(kept, now, key=None).words == ERASED


@pytest.mark.parametrize("becomes", ["spoke", "said@2"])
def test_an_upcaster_that_leads_elsewhere_is_refused(becomes):
    wrong = Upcaster(
        Spoke, becomes, (lambda e: e) if becomes == "spoke" else spoke_reads
    )
    kept = stored(
        Spoke(workspace="team", who="a", words="b"), StructMapper({"spoke": Spoke}, {})
    )
    with pytest.raises(UpcastError):
        opened(kept, StructMapper(TODAY, {**CHAIN, "spoke": wrong}))
