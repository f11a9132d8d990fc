"""Conclusions: made, listed, asked for, fetched, deleted."""

from honcho import NotFoundError
from honcho.conclusions import ConclusionCreateParams

from tests.e2e.sdk.refused import refused
from tests.e2e.sdk.story import Story
from tests.e2e.sdk.voice import every


async def chapter_conclusions_of_a_pair(story: Story):
    ask, honcho = story.ask, story.honcho
    ann = await ask(honcho).peer("ann", metadata={})
    bob = await ask(honcho).peer("bob", metadata={})
    session = await ask(honcho).session("s", metadata={})
    own, of_bob = ann.conclusions, ann.conclusions_of(bob)
    assert (await ask(own).list()).items == []
    made = await ask(own).create(
        [
            {"content": "ann plays chess", "session_id": "s"},
            {"content": "ann sings in a choir"},
            ConclusionCreateParams(content="ann repairs bicycles"),
        ]
    )
    assert [each.content for each in made] == [
        "ann plays chess",
        "ann sings in a choir",
        "ann repairs bicycles",
    ]
    assert [each.session_id for each in made] == ["s", None, None]
    assert {(each.observer_id, each.observed_id) for each in made} == {("ann", "ann")}
    also = await ask(ann).conclusions_of("bob")
    (told,) = await ask(also).create([{"content": "bob is tall"}])
    assert (told.observer_id, told.observed_id) == ("ann", "bob")
    listed = await ask(own).list()
    assert {each.id for each in listed.items} == {each.id for each in made}
    assert [each.id for each in await every(await ask(of_bob).list())] == [told.id]
    assert [c.id for c in (await ask(own).list(1, 50, session)).items] == [made[0].id]
    page = await ask(own).list(page=2, size=2, session=None)
    assert (len(page.items), page.total, page.pages) == (1, 3, 2)
    assert len(await every(await ask(own).list(size=1))) == 3
    if ask.can(own, "list", "filters", "reverse"):
        back = await every(await ask(own).list(size=2, reverse=True))
        forth = await every(await ask(own).list(size=2))
        assert {each.id for each in back} == {each.id for each in forth}
        assert [c.created_at for c in back] == sorted(c.created_at for c in back)
        chess = await ask(own).list(filters={"content": {"contains": "chess"}})
        assert [each.id for each in chess.items] == [made[0].id]
    if ask.can(made[0], "level"):
        assert {each.level for each in made} == {"explicit"}
    if ask.can(made[0], "source_ids") and ask.can(made[0], "times_derived"):
        assert [each.times_derived for each in made] == [1, 1, 1]


async def chapter_conclusions_are_found(story: Story):
    ask, honcho = story.ask, story.honcho
    ann = await ask(honcho).peer("ann", metadata={})
    own = ann.conclusions
    contents = ["ann plays chess", "ann sings in a choir", "ann repairs bicycles"]
    made = await ask(own).create([{"content": content} for content in contents])
    (best,) = await ask(own).query("making music with others", top_k=1)
    assert best.content == "ann sings in a choir"
    assert len(await ask(own).query("anything", 2)) == 2
    same = await ask(own).query("ann plays chess", top_k=10, distance=0.05)
    assert [each.content for each in same] == ["ann plays chess"]
    if ask.can(own, "query", "filters"):
        limited = await ask(own).query("chess", filters={"id": made[2].id})
        assert [each.id for each in limited] == [made[2].id]
    text = await ask(own).representation()
    assert all(content in text for content in contents)
    narrow = await ask(own).representation(
        search_query="music",
        search_top_k=1,
        search_max_distance=1.0,
        include_most_frequent=False,
        max_conclusions=1,
    )
    assert "choir" in narrow
    assert "chess" not in narrow


async def chapter_conclusions_are_deleted(story: Story):
    ask, honcho = story.ask, story.honcho
    ann = await ask(honcho).peer("ann", metadata={})
    own = ann.conclusions
    kept, gone = await ask(own).create([{"content": "kept"}, {"content": "gone"}])
    assert await ask(own).delete(gone.id) is None
    assert [each.id for each in (await ask(own).list()).items] == [kept.id]
    assert "gone" not in await ask(own).representation()
    lost = f"Document {gone.id} not found or does not belong to workspace "
    with refused(NotFoundError, lost + story.workspace):
        await ask(own).delete(gone.id)


async def chapter_conclusions_by_id(story: Story):
    ask, honcho = story.ask, story.honcho
    ann = await ask(honcho).peer("ann", metadata={})
    bob = await ask(honcho).peer("bob", metadata={})
    own, of_bob = ann.conclusions, ann.conclusions_of(bob)
    first, second = await ask(own).create([{"content": "one"}, {"content": "two"}])
    (third,) = await ask(of_bob).create([{"content": "three"}])
    if not (ask.can(own, "get") and ask.can(own, "get_many")):
        return
    assert ask.can(own, "derived")
    assert (await ask(own).get(first.id)).content == "one"
    many = await ask(own).get_many([second.id, first.id, third.id, "nobody"])
    assert {each.id for each in many} == {first.id, second.id}
    derived = await ask(own).derived(first.id, page=1, size=10, reverse=True)
    assert (derived.items, derived.total) == ([], 0)
    everywhere = honcho.conclusions
    assert (await ask(everywhere).get(third.id)).observed_id == "bob"
    found = await ask(everywhere).get_many([third.id, first.id])
    assert {each.content for each in found} == {"one", "three"}
    listed = await ask(everywhere).list(size=2, reverse=True)
    assert listed.total == 3
    assert [each.content for each in await every(listed)][-1] == "three"
    page = await ask(everywhere).list(page=2, size=2, filters={"observed_id": "ann"})
    assert (page.items, page.total) == ([], 2)
    for view in (own, everywhere):
        with refused(NotFoundError, "nobody not found"):
            await ask(view).get("nobody")


async def chapter_conclusions_of_one_message_know_their_sources(story: Story):
    """What is derived of messages is of their session and explicit."""
    ask, honcho = story.ask, story.honcho
    ann = await ask(honcho).peer("ann")
    session = await ask(honcho).session("s")
    await ask(session).add_messages(await ask(ann).message("I live in Ghent."))
    await story.until_processed(1)
    (known,) = await every(await ask(ann.conclusions).list())
    assert "Ghent" in known.content
    assert (known.session_id, known.observer_id) == ("s", "ann")
