"""Workspaces: settings, lists, deletion, the queue, dreams."""

from honcho import ConflictError, NotFoundError
from honcho.api_types import WorkspaceConfiguration

from tests.e2e.sdk.refused import refused
from tests.e2e.sdk.story import Story
from tests.e2e.sdk.voice import every, settings

INSTRUCTED = {
    "custom_instructions": "Be brief.",
    "reasoning": {"enabled": True, "custom_instructions": "Only facts."},
    "peer_card": {"use": True, "create": False, "custom_instructions": "Names first."},
    "summary": {
        "enabled": True,
        "messages_per_short_summary": 10,
        "messages_per_long_summary": 40,
        "custom_instructions": "In verse.",
    },
    "dream": {"enabled": False, "custom_instructions": "Softly."},
    "dialectic": {"custom_instructions": "In French."},
}


def known(model, value):
    """Leave out of a configuration what this version's models do not have."""
    kept = {}
    for key, each in value.items():
        if key not in model.model_fields:
            continue
        kinds = [
            kind
            for kind in getattr(model.model_fields[key].annotation, "__args__", ())
            if hasattr(kind, "model_fields")
        ]
        kept[key] = known(kinds[0], each) if kinds else each
    return kept


async def chapter_workspace_settings(story: Story):
    ask, honcho = story.ask, story.honcho
    assert await ask(honcho).get_metadata() == {}
    fresh = await ask(honcho).get_configuration()
    assert settings(fresh) == {}
    await ask(honcho).set_metadata({"team": {"size": 3}, "tags": ["a", "b"]})
    assert await ask(honcho).get_metadata() == {"team": {"size": 3}, "tags": ["a", "b"]}
    wanted = known(WorkspaceConfiguration, INSTRUCTED)
    await ask(honcho).set_configuration(WorkspaceConfiguration(**wanted))
    stored = await ask(honcho).get_configuration()
    assert settings(stored) == wanted
    summary = WorkspaceConfiguration(summary={"enabled": False})
    await ask(honcho).set_configuration(summary)
    merged = await ask(honcho).get_configuration()
    expected = wanted | {"summary": {"enabled": False}}
    assert settings(merged) == expected
    again = story.client(story.workspace)
    await ask(again).refresh()
    assert again.metadata == {"team": {"size": 3}, "tags": ["a", "b"]}
    assert settings(again.configuration) == expected
    if ask.can(honcho, "uid"):
        assert again.uid == honcho.uid
        assert again.uid


async def chapter_workspace_lists(story: Story):
    ask = story.ask
    names = [f"{story.workspace}-{number}" for number in range(5)]
    for number, name in enumerate(names):
        await ask(story.client(name)).set_metadata(
            {"of": story.workspace, "number": number}
        )
    mine = {"metadata": {"of": story.workspace}}
    found = await ask(story.honcho).workspaces(mine)
    assert (found.items, found.total, found.page, found.size, found.pages) == (
        names,
        5,
        1,
        50,
        1,
    )
    assert not found.has_next_page()
    above = {"AND": [mine, {"metadata": {"number": {"gte": 3}}}]}
    assert await every(await ask(story.honcho).workspaces(above)) == names[3:]
    if ask.can(story.honcho, "workspaces", "page", "size", "reverse"):
        first = await ask(story.honcho).workspaces(mine, size=2, reverse=True)
        assert first.items == names[:2:-1]
        assert await every(first) == names[::-1]
        last = await ask(story.honcho).workspaces(mine, page=3, size=2)
        assert last.items == names[4:]


async def chapter_workspace_deletion(story: Story):
    ask, honcho = story.ask, story.honcho
    session = await ask(honcho).session("only", metadata={})
    await ask(session).add_messages(honcho_message("ann", "I live in Ghent."))
    with refused(ConflictError, "active session(s) remain. Delete all sessions first."):
        await ask(honcho).delete_workspace(story.workspace)
    await ask(session).delete()
    await ask(honcho).delete_workspace(story.workspace)
    with refused(NotFoundError, f"Workspace {story.workspace}-never not found"):
        await ask(honcho).delete_workspace(f"{story.workspace}-never")


async def chapter_queue_and_dreams(story: Story):
    ask, honcho = story.ask, story.honcho
    empty = await ask(honcho).queue_status()
    assert (empty.total_work_units, empty.sessions) == (0, None)
    session = await ask(honcho).session("s")
    await ask(session).add_messages(
        [honcho_message("ann", "I live in Ghent."), honcho_message("bob", "I run.")]
    )
    status = await story.until_processed(2)
    assert status.total_work_units == 2
    (of_session,) = status.sessions.values()
    assert of_session.completed_work_units == 2
    by_ann = await ask(honcho).queue_status(sender="ann", session=session)
    assert (by_ann.total_work_units, by_ann.sessions) == (1, None)
    either = await ask(honcho).queue_status(observer="ann", sender="bob")
    assert either.total_work_units >= 1
    of_bob = await ask(session).queue_status(observer="nobody", sender="bob")
    assert of_bob.total_work_units == 1
    assert await ask(honcho).schedule_dream("ann") is None
    ann, bob = await ask(honcho).peer("ann"), await ask(honcho).peer("bob")
    assert await ask(honcho).schedule_dream(ann, session, bob) is None


async def chapter_options_of_the_client(story: Story):
    """Headers and query parameters nobody knows are ignored (HC 1.15)."""
    client = story.client(
        story.workspace,
        api_key="whatever, for keys are off",
        default_headers={"X-Nobody": "knows", "X-Honcho-Host": "a-plugin/1.0"},
        default_query={"nobody": "knows"},
    )
    await story.ask(client).set_metadata({"a": 1})
    assert await story.ask(story.honcho).get_metadata() == {"a": 1}


def honcho_message(peer, content):
    return {"peer_id": peer, "content": content}
