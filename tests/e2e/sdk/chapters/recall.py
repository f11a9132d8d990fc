"""Representations and contexts, with every option."""

from honcho.api_types import SessionPeerConfig

from tests.e2e.sdk.story import Story


async def remembered(story):
    """Let Ann speak in two sessions, Bob listen in one; return all once it is known."""
    ask, honcho = story.ask, story.honcho
    ann, bob = await ask(honcho).peer("ann"), await ask(honcho).peer("bob")
    first, second = await ask(honcho).session("s"), await ask(honcho).session("t")
    watching = SessionPeerConfig(observe_others=True)
    await ask(first).add_peers([ann, (bob, watching)])
    await ask(first).add_messages(
        [
            await ask(ann).message("I live in Ghent."),
            await ask(ann).message("I drink green tea every morning."),
            await ask(bob).message("I run."),
        ]
    )
    await ask(second).add_messages(await ask(ann).message("I have two cats."))
    await story.until_processed(4)
    await story.until_found(ann.conclusions, 3)
    return ann, bob, first, second


async def chapter_representations(story: Story):
    ask = story.ask
    ann, bob, first, second = await remembered(story)
    own = await ask(ann).representation()
    assert own.startswith("## Explicit Observations\n\n[")
    assert all(word in own for word in ("Ghent", "green tea", "cats"))
    seen = await ask(bob).representation(target=ann)
    assert "Ghent" in seen
    assert "cats" not in seen
    assert await ask(ann).representation(target="bob") == ""
    one = await ask(ann).representation(session=second)
    assert "cats" in one
    assert "Ghent" not in one
    best = await ask(ann).representation(
        None, None, "hot drinks like tea", 1, 1.0, include_most_frequent=False,
        max_conclusions=1,
    )  # fmt: skip
    assert "tea" in best
    assert best.count("\n[") == 1
    near = await ask(ann).representation(
        search_query="tea", search_top_k=2, search_max_distance=0.0, max_conclusions=5
    )
    assert "cats" in near
    most = await ask(ann).representation(include_most_frequent=True)
    assert most == own
    in_session = await ask(first).representation(ann)
    assert "Ghent" in in_session
    assert "cats" not in in_session
    assert "Ghent" in await ask(first).representation("bob", target=ann)
    assert await ask(first).representation("ann", target=bob) == ""
    narrow = await ask(first).representation(
        ann,
        search_query="tea",
        search_top_k=1,
        search_max_distance=1.0,
        include_most_frequent=False,
        max_conclusions=1,
    )
    assert "tea" in narrow
    assert "Ghent" not in narrow
    if ask.can(ann, "representation", "sessions"):
        both = await ask(ann).representation(sessions=[first, "t"])
        assert both == own
        assert await ask(ann).representation(sessions=["elsewhere"]) == ""


async def chapter_contexts_of_a_peer(story: Story):
    ask = story.ask
    ann, bob, *_ = await remembered(story)
    own = await ask(ann).context()
    assert (own.peer_id, own.target_id, own.peer_card) == ("ann", "ann", None)
    assert "cats" in own.representation
    if ask.can(bob, "set_card"):
        await ask(bob).set_card(["Ann is from Ghent."], target=ann)
    seen = await ask(bob).context(ann)
    assert (seen.peer_id, seen.target_id) == ("bob", "ann")
    assert "Ghent" in seen.representation
    assert seen.peer_card in (None, ["Ann is from Ghent."])
    best = await ask(ann).context(
        target="ann",
        search_query="tea",
        search_top_k=1,
        search_max_distance=1.0,
        include_most_frequent=False,
        max_conclusions=1,
    )
    assert best.representation.count("\n[") == 1
    assert "tea" in best.representation


async def chapter_contexts_of_a_session(story: Story):
    ask = story.ask
    _, bob, first, second = await remembered(story)
    plain = await ask(first).context()
    assert [each.content for each in plain.messages] == [
        "I live in Ghent.",
        "I drink green tea every morning.",
        "I run.",
    ]
    assert (plain.summary, plain.peer_representation, plain.peer_card) == (None,) * 3
    few = await ask(first).context(summary=False, tokens=4)
    assert [each.content for each in few.messages] == ["I run."]
    about = await ask(first).context(peer_target="ann")
    assert "cats" in about.peer_representation
    here = await ask(first).context(peer_target="ann", limit_to_session=True)
    assert "Ghent" in here.peer_representation
    assert "cats" not in here.peer_representation
    assert here.peer_card is None
    seen = await ask(first).context(peer_target="ann", peer_perspective="bob")
    assert "Ghent" in seen.peer_representation
    best = await ask(second).context(
        peer_target="ann",
        search_query="tea",
        search_top_k=1,
        search_max_distance=1.0,
        include_most_frequent=False,
        max_conclusions=1,
    )
    assert "tea" in best.peer_representation
    by_message = await ask(second).context(
        peer_target="ann", search_query=plain.messages[1], max_conclusions=3
    )
    assert "tea" in by_message.peer_representation
    if ask.can(second, "context", "sessions"):
        only = await ask(second).context(peer_target="ann", sessions=[second])
        assert "cats" in only.peer_representation
        assert "Ghent" not in only.peer_representation
    spoken = about.to_openai(assistant=bob)
    assert [each["role"] for each in spoken] == ["system", "user", "user", "assistant"]
    assert about.to_anthropic(assistant="bob")[1]["content"] == "ann: I live in Ghent."
