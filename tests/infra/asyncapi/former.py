"""Events that have a former shape, as there may be some day."""

from typing import ClassVar

from domain.event import Event, Personal
from infra.upcasters import Upcaster


class ThingSaid(Event, frozen=True, kw_only=True, tag="thing-said"):
    """As it was told once."""

    sealed_for: ClassVar[tuple[str | None, str | None]] = (None, "who")

    who: str
    words: Personal[str]


class ThingSaid2(Event, frozen=True, kw_only=True, tag="thing-said@2"):
    """As it was told then, and is no more."""

    sealed_for: ClassVar[tuple[str | None, str | None]] = (None, "who")

    who: str
    words: Personal[tuple[str, ...]]


UPCASTERS_OF_TESTS = {
    "thing-said": Upcaster(ThingSaid, "thing-said@2", lambda old: old),
    "thing-said@2": Upcaster(ThingSaid2, "thing-said@3", lambda old: old),
}
