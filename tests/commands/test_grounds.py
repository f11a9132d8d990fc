"""What an inference rests on holds for a scope while the session is in it (RS 2.8)."""

import pytest

from commands.grounds import Ground, GroundStreams
from domain.conclusion import Conclusions
from domain.session import Member, Session
from tests.support.story import NOON


@pytest.mark.parametrize(
    ("observer", "named", "session", "holds"),
    [
        ("scope.x", False, Session(exists=True, scopes=("x",)), True),
        ("scope.x", False, Session(exists=True, scopes=("y",)), False),
        ("scope.x", False, Session(exists=True), False),
        ("scope.x", True, Session(exists=True), True),
        ("scope.x", False, Session(exists=True, members={"scope.x": Member()}), True),
        ("bob", False, Session(exists=True), True),
        ("bob", False, Session(exists=True, deleted=True), False),
    ],
)
def test_what_left_a_scope_is_no_ground_of_its_dreams(observer, named, session, holds):
    ground = Ground(
        id="c",
        level="explicit",
        session="s",
        observer=observer,
        observed="alice",
        occurred_at=NOON,
        position=3,
        named=named,
    )
    streams = GroundStreams("w", [ground])
    assert len(streams.watched) == 2
    assert streams.holding([Conclusions(), session]) == ({"c"} if holds else set())
