"""The one union of all events, and the table from tag to class.

To add an event: its class in its noun's file, a member here, a branch in that
noun's ``evolve``, a golden file in ``tests/golden/events``.
"""

from domain.call import LLMCallRecorded
from domain.card import (
    CardEntryAdded,
    CardEntryRemoved,
    CardEntryRevised,
    CardReplacedByOwner,
)
from domain.conclusion import (
    ConclusionDerived,
    ConclusionReinforced,
    ConclusionReinstated,
    ConclusionRetracted,
    ConclusionReworded,
)
from domain.derivation import (
    DerivationCompleted,
    DerivationFailed,
    DerivationRedriven,
    DerivationRequested,
)
from domain.dream import (
    DreamCancelled,
    DreamCompleted,
    DreamFailed,
    DreamScheduled,
    DreamStarted,
    SpecialistCompleted,
)
from domain.embedding import EmbeddingRecorded
from domain.erasure import (
    SessionDeleted,
    SessionErased,
    SessionErasureBegun,
    StreamErased,
    WorkspaceDeletionRequested,
    WorkspaceErased,
    WorkspaceErasureBegun,
)
from domain.event import Event, tag_of
from domain.fork import SessionForked
from domain.message import MessageMetadataChanged
from domain.peer import PeerConfigured, PeerCreated
from domain.question import QuestionAnswered
from domain.retraction import (
    RetractionExtended,
    RetractionRecorded,
    RetractionUndone,
)
from domain.scope import (
    ScopeCreated,
    SessionAddedToScope,
    SessionRemovedFromScope,
)
from domain.session import (
    MessageAdded,
    PeerJoined,
    PeerLeft,
    PeerRoleChanged,
    SessionConfigured,
    SessionCreated,
)
from domain.summary import (
    SummaryOmitted,
    SummaryProduced,
    SummaryReinstated,
    SummaryRetracted,
)
from domain.webhook import (
    WebhookAttemptFailed,
    WebhookCreated,
    WebhookDeleted,
    WebhookDelivered,
    WebhookFailed,
    WebhookReplayRequested,
    WebhookRequested,
)
from domain.withholding import MessagesRestored, MessagesWithheld
from domain.workspace import WorkspaceConfigured, WorkspaceCreated

EVENTS: tuple[type[Event], ...] = (
    WorkspaceCreated,
    WorkspaceConfigured,
    PeerCreated,
    PeerConfigured,
    SessionCreated,
    SessionConfigured,
    PeerJoined,
    PeerLeft,
    PeerRoleChanged,
    MessageAdded,
    MessageMetadataChanged,
    SessionForked,
    ScopeCreated,
    SessionAddedToScope,
    SessionRemovedFromScope,
    ConclusionDerived,
    ConclusionReinforced,
    ConclusionReworded,
    ConclusionRetracted,
    ConclusionReinstated,
    RetractionRecorded,
    RetractionExtended,
    RetractionUndone,
    DerivationRequested,
    DerivationCompleted,
    DerivationFailed,
    DerivationRedriven,
    SummaryProduced,
    SummaryOmitted,
    SummaryRetracted,
    SummaryReinstated,
    MessagesWithheld,
    MessagesRestored,
    CardReplacedByOwner,
    CardEntryAdded,
    CardEntryRevised,
    CardEntryRemoved,
    QuestionAnswered,
    LLMCallRecorded,
    EmbeddingRecorded,
    DreamScheduled,
    DreamCancelled,
    DreamStarted,
    SpecialistCompleted,
    DreamCompleted,
    DreamFailed,
    SessionDeleted,
    SessionErasureBegun,
    SessionErased,
    WorkspaceDeletionRequested,
    WorkspaceErasureBegun,
    WorkspaceErased,
    StreamErased,
    WebhookCreated,
    WebhookDeleted,
    WebhookRequested,
    WebhookAttemptFailed,
    WebhookDelivered,
    WebhookFailed,
    WebhookReplayRequested,
)

EVENT_BY_TAG: dict[str, type[Event]] = {tag_of(event): event for event in EVENTS}
