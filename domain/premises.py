"""What a fact is said to rest on, checked: nothing invented is ever recorded.

Engines are not trusted with it. A message must have been before the engine, be of the
peer the fact is about and have asked for reasoning; a conclusion must hold (RS 13.1
W22, 14.2).
"""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from domain.conclusion import Conclusions, Found
from domain.derivation import Considered, Refused


class Premises(msgspec.Struct, frozen=True):
    """What a fact may rest on: messages of one session, conclusions that hold.

    Messages that are ``withheld`` count as never said.
    """

    session: str
    messages: Sequence[Considered]
    holding: Collection[str]
    withheld: Mapping[str, str] = {}


def holding(state: Conclusions) -> frozenset[str]:
    """Return the ids of a stream's conclusions that hold for whoever heard them."""
    return frozenset(state.known.values())


def check_premises(
    found: Sequence[Found], premises: Premises
) -> tuple[list[Found], Refused]:
    """Return each fact with what is true of its premises, and what was made up.

    A fact that is left without any is refused.
    """
    told = {
        (premises.session, each.id, each.seq, each.author)
        for each in premises.messages
        if each.derive
    }
    kept: list[Found] = []
    refused = Refused()
    for fact in _recalled(found, premises.withheld):
        evidence = tuple(
            each
            for each in fact.evidence
            if (each.session, each.message, each.seq, fact.observed) in told
        )
        sources = tuple(each for each in fact.sources if each in premises.holding)
        invented = len(fact.evidence) + len(fact.sources) - len(evidence) - len(sources)
        if evidence or sources:
            kept.append(
                msgspec.structs.replace(fact, evidence=evidence, sources=sources)
            )
        refused += Refused(int(not (evidence or sources)), invented)
    return kept, refused


def _recalled(found: Sequence[Found], withheld: Mapping[str, str]) -> list[Found]:
    """Return what rests on words that are recalled, and on those alone.

    An engine may have had a message before it that is withheld by now.
    """
    if not withheld:
        return list(found)
    kept = []
    for fact in found:
        left = tuple(each for each in fact.evidence if each.message not in withheld)
        if left or not fact.evidence:
            kept.append(msgspec.structs.replace(fact, evidence=left))
    return kept
