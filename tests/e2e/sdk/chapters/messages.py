"""Messages: writing, pages, filters, changes, search, files."""

import datetime as dt
import io
import json

from tests.e2e.sdk.story import Story
from tests.e2e.sdk.voice import every
from tests.support.pdf import pdf_of

NEW_YEAR = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)


async def chapter_messages_are_written_and_read(story: Story):
    ask, honcho = story.ask, story.honcho
    ann, bob = await ask(honcho).peer("ann"), await ask(honcho).peer("bob")
    session = await ask(honcho).session("s")
    (first,) = await ask(session).add_messages(
        await ask(ann).message("Grüße 🚆", metadata={"mood": "good"})
    )
    assert (first.content, first.peer_id, first.session_id, first.workspace_id) == (
        "Grüße 🚆",
        "ann",
        "s",
        story.workspace,
    )
    assert first.metadata == {"mood": "good"}
    assert first.token_count > 0
    told = {"reasoning": {"enabled": False}}
    more = await ask(session).add_messages(
        [
            await ask(bob).message("then", created_at=NEW_YEAR, configuration=told),
            await ask(ann).message("text", created_at="2024-01-02T12:00:00+05:00"),
            await ask(ann).message(""),
        ]
    )
    assert more[0].created_at == NEW_YEAR
    assert more[1].created_at.utcoffset() == dt.timedelta(hours=5)
    assert (more[2].content, more[2].token_count) == ("", 0)
    read = await every(await ask(session).messages())
    assert [each.id for each in read] == [each.id for each in [first, *more]]
    assert read[2].created_at.utcoffset() == dt.timedelta(0)
    assert read[2].created_at == more[1].created_at
    changed = await ask(session).update_message(first, {"mood": "bad"})
    assert (changed.id, changed.metadata) == (first.id, {"mood": "bad"})
    by_id = await ask(session).update_message(more[0].id, {})
    assert by_id.metadata == {}
    if ask.can(session, "get_message"):
        got = await ask(session).get_message(first.id)
        assert (got.content, got.metadata) == ("Grüße 🚆", {"mood": "bad"})


async def chapter_pages_of_messages(story: Story):
    ask, honcho = story.ask, story.honcho
    ann, bob = await ask(honcho).peer("ann"), await ask(honcho).peer("bob")
    session = await ask(honcho).session("s")
    quiet = {"reasoning": {"enabled": False}}
    texts = [f"number {n}" for n in range(120)]
    said = [
        await ask(bob if n % 40 == 0 else ann).message(
            text, metadata={"n": n}, configuration=quiet
        )
        for n, text in enumerate(texts)
    ]
    await ask(session).add_messages(said[:100])
    await ask(session).add_messages(said[100:])
    page = await ask(session).messages()
    assert (page.total, page.pages, len(page.items)) == (120, 3, 50)
    assert [each.content for each in await every(page)] == texts
    by_bob = await every(await ask(session).messages(filters={"peer_id": "bob"}))
    assert [each.content for each in by_bob] == [texts[n] for n in (0, 40, 80)]
    either = {
        "OR": [{"metadata": {"n": {"lt": 2}}}, {"metadata": {"n": {"gte": 110}}}],
        "NOT": [{"peer_id": "bob"}],
    }
    found = await every(await ask(session).messages(filters=either))
    assert [each.metadata["n"] for each in found] == [1, *range(110, 120)]
    if ask.can(session, "messages", "page", "size", "reverse"):
        back = await ask(session).messages(size=100, reverse=True)
        assert [each.content for each in await every(back)] == texts[::-1]
        third = await ask(session).messages(page=3, size=50)
        assert [each.content for each in third.items] == texts[100:]
        beyond = await ask(session).messages(page=9, size=50)
        assert (beyond.items, beyond.total) == ([], 120)


async def chapter_search_of_a_session(story: Story):
    ask, honcho = story.ask, story.honcho
    ann, bob = await ask(honcho).peer("ann"), await ask(honcho).peer("bob")
    session = await ask(honcho).session("s")
    for name in ("s", "t"):
        await ask(await ask(honcho).session(name)).add_messages(
            [
                await ask(ann).message(f"violins of {name}"),
                await ask(bob).message(f"more violins of {name}"),
            ]
        )
    found = await ask(session).search("violins")
    assert {each.content for each in found} == {"violins of s", "more violins of s"}
    by_bob = await ask(session).search("violins", {"peer_id": "bob"}, 5)
    assert [each.content for each in by_bob] == ["more violins of s"]
    assert len(await ask(session).search("violins", limit=1)) == 1


async def chapter_files(story: Story):
    ask, honcho = story.ask, story.honcho
    ann = await ask(honcho).peer("ann")
    session = await ask(honcho).session("s")
    (text,) = await ask(session).upload_file(
        ("notes.txt", "Grüße aus Gent".encode(), "text/plain"),
        ann,
        metadata={"kind": "note"},
        configuration={"reasoning": {"enabled": False}},
        created_at=NEW_YEAR,
    )
    assert (text.content, text.peer_id) == ("Grüße aus Gent", "ann")
    assert text.metadata == {"kind": "note"}
    assert text.created_at == NEW_YEAR
    tree = {"ä": [1, {"b": None}]}
    opened = io.BytesIO(json.dumps(tree).encode())
    (tree_as_text,) = await ask(session).upload_file(
        ("tree.json", opened, "application/json"), "ann"
    )
    assert tree_as_text.content == '{"ä": [1, {"b": null}]}'
    named = io.BytesIO(pdf_of("First page", "Second page"))
    named.name = "pages.pdf"
    (pages,) = await ask(session).upload_file(
        named, peer="ann", created_at="2024-01-01T12:00:00Z"
    )
    assert pages.content == "[Page 1]\nFirst page\n\n[Page 2]\nSecond page"
    long = ("word " * 12_000).encode()
    parts = await ask(session).upload_file(("long.txt", long, "text/plain"), ann)
    assert "".join(each.content for each in parts).encode() == long
    assert all(len(each.content) <= 25_000 for each in parts)
    listed = await ask(session).messages()
    assert listed.total == 3 + len(parts)
