"""What was retracted does not come back; drawn again, it is another conclusion."""

import msgspec

from domain.concluding import conclude
from domain.conclusion import (
    EVIDENCE_ERASED,
    ConclusionDerived,
    ConclusionReinforced,
    ConclusionReinstated,
    ConclusionRetracted,
    ConclusionReworded,
    Conclusions,
    Evidence,
    Found,
    evolve_conclusions,
    is_retracted,
    retract_conclusion,
)
from domain.event import Engine
from tests.domain.stories import NOON

ENGINE = Engine(name="offline", version="1")


def given(*events):
    state = Conclusions()
    for event in events:
        state = evolve_conclusions(state, event)
    return state


def derived(id_="c", content="Ann likes tea", **fields):
    return ConclusionDerived(
        workspace="w",
        session="s",
        id=id_,
        observed="ann",
        content=content,
        content_key=content.lower(),
        occurred_at=NOON,
        engine=ENGINE,
        **fields,
    )


def retracted(id_="c", observer=None):
    return ConclusionRetracted(
        workspace="w",
        session="s",
        id=id_,
        observer=observer,
        reason="deleted",
        actor="client",
    )


def draw(state, content="Ann likes tea "):
    fact = Found(
        id="new",
        observed="ann",
        content=content,
        occurred_at=NOON,
        evidence=(Evidence("m", "s", 1),),
    )
    [event] = conclude(state, ("w", "s"), [fact], ENGINE, "d")
    return event


def test_a_known_conclusion_drawn_again_is_reinforced():
    event = draw(given(derived()))
    assert isinstance(event, ConclusionReinforced)
    assert event.id == "c"


def test_a_retracted_conclusion_drawn_again_is_a_new_one():
    event = draw(given(derived(), retracted()))
    assert isinstance(event, ConclusionDerived)
    assert event.id == "new"


def test_what_one_observer_lost_is_still_reinforced_for_the_others():
    assert draw(given(derived(), retracted(observer="bob"))).id == "c"


def test_what_was_made_for_one_observer_is_never_reinforced_for_all():
    assert draw(given(derived(observer="bob"))).id == "new"


def test_retracting_the_newer_leaves_the_older_unknown_and_the_rest_known():
    state = given(derived(), derived("d", "Ann likes jam"), retracted("d"))
    assert draw(state).id == "c"
    assert draw(state, "Ann likes jam").id == "new"


def test_drawn_again_it_may_be_retracted_again_by_who_holds_it_anew():
    state = given(derived(), retracted(observer="bob"))
    anew = evolve_conclusions(state, draw(state))
    assert retract_conclusion(anew, retracted(observer="bob")) != []


def test_it_is_retracted_once_for_an_observer_and_once_for_all():
    state = given(derived(), retracted(observer="bob"))
    assert retract_conclusion(state, retracted(observer="bob")) == []
    assert retract_conclusion(state, retracted(observer="ann")) != []
    assert retract_conclusion(state, retracted()) != []
    state = evolve_conclusions(state, retracted())
    assert retract_conclusion(state, retracted(observer="ann")) == []


def reinstated(id_="c", observer=None, unit="u"):
    return ConclusionReinstated(
        workspace="w",
        session="s",
        id=id_,
        observer=observer,
        unit=unit,
        reason="undone",
        actor="client",
    )


def test_what_is_reinstated_is_known_again():
    assert draw(given(derived(), retracted(), reinstated())).id == "c"


def test_what_was_concluded_anew_meanwhile_stays_what_is_reinforced():
    state = given(derived(), retracted(), derived("d"), reinstated())
    assert draw(state).id == "d"


def test_reinstated_for_one_it_is_still_gone_for_the_rest():
    state = given(derived(), retracted(), retracted(observer="bob"))
    state = evolve_conclusions(state, reinstated(observer="bob"))
    assert is_retracted(state, "c")
    assert retract_conclusion(given(derived(), reinstated()), retracted()) != []


def test_what_rested_on_what_is_erased_goes_for_good_retracted_or_not():
    erased = msgspec.structs.replace(retracted(), reason=EVIDENCE_ERASED)
    state = given(derived(), retracted())
    assert retract_conclusion(state, erased) == [erased]
    state = evolve_conclusions(state, erased)
    assert retract_conclusion(state, erased) == []


def test_what_was_put_in_several_words_is_known_by_all_of_them_again():
    reworded = ConclusionReworded(
        workspace="w",
        session="s",
        id="c",
        observed="ann",
        occurred_at=NOON,
        engine=ENGINE,
        content="Ann enjoys tea",
        content_key="ann enjoys tea",
    )
    state = given(derived(), reworded, retracted(), reinstated())
    assert set(state.known.values()) == {"c"}
    assert {key for _, _, key in state.known} == {"ann likes tea", "ann enjoys tea"}
