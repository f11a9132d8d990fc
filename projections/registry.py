"""All projections, in the order a batch is folded into them.

Later ones read the tables of earlier ones as far as the batch reaches: conclusions
ask members and messages who heard, progress asks messages how old the oldest is.
"""

from projections.cards import Cards
from projections.conclusions import Conclusions
from projections.evidence import Evidence
from projections.lexicon import Lexicon
from projections.members import Members
from projections.messages import Messages
from projections.peers import Peers
from projections.progress import Progress
from projections.projection import Projection
from projections.sessions import Sessions
from projections.summaries import Summaries
from projections.vectors import Vectors
from projections.workspaces import Workspaces

PROMPT: tuple[Projection, ...] = (
    Workspaces(),
    Peers(),
    Sessions(),
    Members(),
    Messages(),
    Conclusions(),
    Evidence(),
    Summaries(),
    Cards(),
    Progress(),
)
"""What a write waits for: folded together, in one transaction for each batch."""

LAGGING: tuple[Projection, ...] = (Lexicon(), Vectors())
"""What may come later; folded behind ``PROMPT``, never ahead of it."""
