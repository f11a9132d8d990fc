"""A deleted session takes nothing more; an erased one is told anew."""

from datetime import timedelta

import pytest

from domain import session as sessions
from domain import workspace as workspaces
from domain.erasure import (
    SessionDeleted,
    SessionErased,
    SessionErasureBegun,
    StreamErased,
    WorkspaceDeletionRequested,
    WorkspaceErased,
    WorkspaceErasureBegun,
)
from domain.errors import Conflict, NotFound
from domain.membership import Role, join_peers, remove_peers
from domain.message import add_messages
from domain.session import Session, configure_session, delete_session, open_session
from domain.workspace import Workspace, request_deletion
from tests.domain.stories import (
    NOON,
    draft,
    joined,
    message,
    session_created,
    workspace_created,
)
from tests.support.given import fold, given

NAMED = ("w", "s")
LATER = NOON + timedelta(seconds=5)
DELETED = SessionDeleted(workspace="w", session="s", deleted_at=NOON, purge_at=LATER)
BEGUN = SessionErasureBegun(workspace="w", session="s")
ERASED = SessionErased(workspace="w", session="s", erased_at=LATER, through=9)
REQUESTED = WorkspaceDeletionRequested(workspace="w", requested_at=NOON, purge_at=LATER)
STORY = (session_created(), joined(), message())


def test_an_active_session_is_deleted_once():
    given(*STORY).when(delete_session, DELETED).then(DELETED)
    given(*STORY, DELETED).when(delete_session, DELETED).then_refused(
        NotFound, "Session s not found in workspace w"
    )
    given().when(delete_session, DELETED).then_refused(NotFound)


@pytest.mark.parametrize("gone", [(DELETED,), (DELETED, BEGUN)])
def test_a_deleted_session_refuses_every_write(gone):
    after = given(*STORY, *gone)
    for decision, *arguments in (
        (open_session, session_created()),
        (configure_session, NAMED, {}, None),
        (join_peers, NAMED, {"bob": Role()}, NOON),
        (remove_peers, NAMED, ["ann"], NOON),
        (add_messages, NAMED, [draft()]),
        (delete_session, DELETED),
    ):
        after.when(decision, *arguments).then_refused(
            NotFound, "Session s not found in workspace w"
        )


def test_a_deleted_session_is_there_until_its_erasure_begins():
    deleted = fold(Session, [*STORY, DELETED])
    assert (deleted.exists, deleted.active, deleted.last_seq) == (True, False, 1)
    begun = fold(Session, [*STORY, DELETED, BEGUN])
    assert (begun.exists, begun.active) == (False, False)


def test_erasure_begins_once_and_only_of_what_is_deleted():
    given(*STORY).when(sessions.begin_erasure, BEGUN).then_nothing()
    given(*STORY, DELETED).when(sessions.begin_erasure, BEGUN).then(BEGUN)
    given(*STORY, DELETED, BEGUN).when(sessions.begin_erasure, BEGUN).then_nothing()
    given(*STORY).when(sessions.erase_session, ERASED).then_nothing()
    given(*STORY, DELETED, BEGUN).when(sessions.erase_session, ERASED).then(ERASED)
    given(*STORY, DELETED, BEGUN, ERASED).when(
        sessions.erase_session, ERASED
    ).then_nothing()


@pytest.mark.parametrize("end", [ERASED, StreamErased(workspace="w", through=9)])
def test_an_erased_session_is_told_anew_from_its_first_message(end):
    gone = fold(Session, [*STORY, DELETED, BEGUN, end])
    assert gone == Session(erased_through=9)
    again = [*STORY, DELETED, BEGUN, end, session_created(metadata={"a": 1})]
    assert fold(Session, again).metadata == {"a": 1}
    assert fold(Session, again).members == {}
    assert fold(Session, again).erased_through == 9
    given(*again).when(add_messages, NAMED, [draft()]).then(message())


def test_a_workspace_goes_when_no_session_is_active():
    made = workspace_created()
    given().when(request_deletion, REQUESTED, False).then_refused(
        NotFound, "Workspace w not found"
    )
    given(made).when(request_deletion, REQUESTED, True).then_refused(
        Conflict,
        "Cannot delete workspace 'w': active session(s) remain. "
        "Delete all sessions first.",
    )
    given(made).when(request_deletion, REQUESTED, False).then(REQUESTED)


def test_a_workspace_accepted_for_deletion_stays_so_whatever_is_made_in_it():
    given(workspace_created(), REQUESTED).when(
        request_deletion, REQUESTED, True
    ).then_nothing()


def test_an_erased_workspace_is_told_anew():
    begun = WorkspaceErasureBegun(workspace="w")
    erased = WorkspaceErased(workspace="w", erased_at=LATER, through=9)
    going = (workspace_created(), REQUESTED)
    given(workspace_created()).when(workspaces.begin_erasure, begun).then_nothing()
    given(*going).when(workspaces.begin_erasure, begun).then(begun)
    assert fold(Workspace, [*going, begun]).erasing
    given(*going, begun).when(workspaces.erase_workspace, erased).then(erased)
    after = (*going, begun, erased)
    assert fold(Workspace, after) == Workspace(erased_through=9)
    given(*after).when(workspaces.erase_workspace, erased).then_nothing()
