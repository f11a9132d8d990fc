"""All projections, in the order a batch is folded into them.

Later ones read the tables of earlier ones as far as the batch reaches: scopes ask
messages whether anything was said, conclusions ask members, messages and scopes who
heard, progress asks messages how old the oldest is.
"""

from projections.answers import Answers
from projections.cards import Cards
from projections.conclusions import Conclusions
from projections.derivation_ranges import DerivationRanges
from projections.derivations import Derivations
from projections.dreams import DreamJobs
from projections.erasable import Erasable
from projections.evidence import Evidence
from projections.lexicon import Lexicon
from projections.lives import Lives
from projections.members import Members
from projections.messages import Messages
from projections.peers import Peers
from projections.progress import Progress
from projections.projection import Projection
from projections.retractions import Retractions
from projections.scope_sessions import ScopeSessions
from projections.sessions import Sessions
from projections.summaries import Summaries
from projections.usage import Usage
from projections.vectors import Vectors
from projections.webhook_deliveries import WebhookDeliveries
from projections.webhooks import WebhookEndpoints
from projections.withheld import Withheld
from projections.workspaces import Workspaces


def _erasable(*projections: Projection) -> tuple[Projection, ...]:
    return tuple(map(Erasable, projections))


PROMPT: tuple[Projection, ...] = _erasable(
    Workspaces(),
    Peers(),
    Sessions(),
    Members(),
    Messages(),
    Withheld(),
    ScopeSessions(),
    Conclusions(),
    Evidence(),
    Lives(),
    Derivations(),
    DerivationRanges(),
    Answers(),
    Summaries(),
    Cards(),
    Progress(),
    DreamJobs(),
    Retractions(),
    WebhookEndpoints(),
    WebhookDeliveries(),
    Usage(),
)
"""What a write waits for: folded together, in one transaction for each batch."""

LAGGING: tuple[Projection, ...] = _erasable(Lexicon(), Vectors())
"""What may come later; folded behind ``PROMPT``, never ahead of it."""
