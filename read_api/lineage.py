"""Lineage: what a conclusion rests on down to the words, and what rests on it."""

from collections.abc import Sequence
from typing import Final

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from domain.errors import NotFound
from projections.answers import answers_citing
from projections.as_of import NOW
from projections.cards import find_card_lines
from projections.derivations import get_derivations
from projections.grounds import Ground, get_grounds
from projections.lives import Lived, get_births, get_life
from projections.ports import Connection, Database, Views
from projections.quotes import quote_messages
from projections.summaries import summaries_covering
from projections.walks import Bounds, Walked, walk_down, walk_up
from read_api.card_lines import RestingCardLine, card_line_shown
from read_api.lineage_answers import (
    CitingAnswer,
    CoveringSummary,
    DerivationShown,
    LifeEvent,
    LineageConclusion,
    QuotedMessage,
    answer_shown,
    conclusion_shown,
    derivation_shown,
    life_shown,
    made_by,
    message_shown,
    summary_shown,
)
from read_api.moment import ReadQuery, answer, reached
from read_api.ports import Injected, Parse

BOUNDS: Final = Bounds(depth=20, width=200)
"""Steps of a walk, and conclusions it finds, in either direction."""

CITED: Final = 25
"""Messages named of each conclusion."""

QUOTED: Final = 300
"""Messages quoted in all; and characters of each:"""

CHARACTERS: Final = 2_000

LIVED: Final = 200
"""Newest things that happened to a conclusion."""

FOLLOWED: Final = 100
"""Summaries, and answers."""


class Forward(msgspec.Struct, frozen=True, kw_only=True):
    """What was built on something: conclusions, summaries, answers, lines of cards."""

    conclusions: list[LineageConclusion]
    summaries: list[CoveringSummary]
    answers: list[CitingAnswer]
    cards: list[RestingCardLine]


class Lineage(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of how a conclusion came to be, and what became of it.

    ``derivation`` is how it was derived first; ``derivations`` those of its premises
    and of what reinforced it, too. ``truncated`` says that there is more than is
    shown of anything.
    """

    conclusion: LineageConclusion
    derivation: DerivationShown | None
    premises: list[LineageConclusion]
    messages: list[QuotedMessage]
    derivations: list[DerivationShown]
    life: list[LifeEvent]
    built_on_it: Forward
    truncated: bool


@get(
    "/v3/workspaces/{workspace:str}/conclusions/{conclusion:str}/lineage",
    opt={"query": ReadQuery},
)
async def get_lineage(
    workspace: FromPath[str],
    conclusion: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
) -> Response[Lineage]:
    """Tell what a conclusion rests on, how it was derived and what became of it."""
    moment = await reached(views, parse.query(ReadQuery))
    async with database.acquire() as db:
        lineage = await find_lineage(db, workspace, conclusion, moment.as_of)
    if lineage is None:
        raise NotFound(
            f"Document {conclusion} not found or does not belong to workspace"
            f" {workspace}"
        )
    return answer(lineage, moment)


async def find_lineage(
    db: Connection, tenant: str, conclusion: str, as_of: int = NOW
) -> Lineage | None:
    """Return the lineage of a conclusion, held or retracted, by any observer's id."""
    found = await get_grounds(db, tenant, [conclusion], CITED, as_of)
    if not found:
        return None
    own = found[0]
    down = await walk_down(db, tenant, [own.origin], BOUNDS, as_of)
    premises = await show_walked(db, tenant, down, {own.origin: own}, as_of)
    life = await get_life(db, tenant, own.origin, LIVED + 1, as_of)
    births = {each.origin: each for each in premises.births}
    named = [each for each in (*premises.births, *life) if each.derivation is not None]
    derivations = await get_derivations(
        db, tenant, sorted({str(each.derivation) for each in named}), as_of
    )
    shown = {each.id: derivation_shown(each) for each in derivations}
    cited = dict.fromkeys(id_ for each in premises.shown for id_ in each.message_ids)
    quoted = await quote_messages(db, tenant, list(cited)[:QUOTED], CHARACTERS, as_of)
    forward, whole = await find_forward(db, tenant, [own.origin], own.messages, as_of)
    return Lineage(
        conclusion=premises.shown[0],
        derivation=_derivation(births.get(own.origin), shown),
        premises=premises.shown[1:],
        messages=[message_shown(each) for each in quoted],
        derivations=list(shown.values()),
        life=[life_shown(each) for each in life[-LIVED:]],
        built_on_it=forward,
        truncated=not (
            whole and premises.whole and len(cited) <= QUOTED and len(life) <= LIVED
        ),
    )


class Shown(msgspec.Struct, frozen=True):
    """Conclusions of a walk, the nearest first, and how each came to be."""

    shown: list[LineageConclusion]
    births: list[Lived]
    whole: bool


async def show_walked(
    db: Connection,
    tenant: str,
    walked: Walked,
    known: dict[str, Ground],
    as_of: int = NOW,
) -> Shown:
    """Look up the conclusions of a walk; ``known`` by origin are looked up already.

    Whether one holds is asked of the observer of these, and of anybody of others.
    """
    wanted = [origin for origin in walked.depths if origin not in known]
    grounds = [*known.values()]
    if wanted:
        grounds += await get_grounds(db, tenant, wanted, CITED, as_of)
    births = await get_births(db, tenant, list(walked.depths))
    drawn = {each.origin: each.derivation for each in births}
    shown = [
        conclusion_shown(
            each,
            walked.depths[each.origin],
            drawn.get(each.origin),
            holds=each.holds if each.origin in known else each.held,
        )
        for each in sorted(grounds, key=lambda each: walked.depths[each.origin])
    ]
    whole = walked.whole and all(each.cites <= CITED for each in grounds)
    return Shown(shown, births, whole)


async def find_forward(
    db: Connection,
    tenant: str,
    origins: Sequence[str],
    messages: Sequence[str],
    as_of: int = NOW,
    *,
    inclusive: bool = False,
) -> tuple[Forward, bool]:
    """Return what was built on conclusions and messages, and whether that is all.

    The conclusions themselves are among it if ``inclusive``; messages are cited then.
    """
    up = await walk_up(db, tenant, origins, BOUNDS, as_of)
    steps = 1 if inclusive else 0
    depths = {
        origin: depth + steps
        for origin, depth in up.depths.items()
        if inclusive or depth
    }
    built = await show_walked(db, tenant, Walked(depths, up.whole), {}, as_of)
    most = FOLLOWED + 1
    summaries = await summaries_covering(db, tenant, messages, most, as_of)
    cited = [*up.depths, *(messages if inclusive else ())]
    answers = await answers_citing(db, tenant, cited, most, as_of)
    known = [*up.depths]
    lines = await find_card_lines(db, tenant, known, most, as_of)
    forward = Forward(
        conclusions=built.shown,
        summaries=[summary_shown(each) for each in summaries[:FOLLOWED]],
        answers=[answer_shown(each) for each in answers[:FOLLOWED]],
        cards=[card_line_shown(each) for each in lines[:FOLLOWED]],
    )
    found = max(len(summaries), len(answers), len(lines))
    return forward, built.whole and found <= FOLLOWED


def _derivation(
    birth: Lived | None, derivations: dict[str, DerivationShown]
) -> DerivationShown | None:
    """Return how a conclusion was derived; its life tells where nothing else does."""
    if birth is None:
        return None
    made = derivations.get(birth.derivation or "")
    if made is None and birth.engine is not None:
        return made_by(birth.engine, birth)
    return made
