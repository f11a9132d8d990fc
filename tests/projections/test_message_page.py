"""A page of a session is the one counting row by row would give."""

import msgspec

from projections.message_page import read_message_page
from projections.messages import Messages
from tests.support.folding import create, fold
from tests.support.history import record
from tests.support.story import said


async def test_a_page_is_the_one_that_counting_gives(db):
    views = [Messages()]
    await create(db, views)
    others = [said(n, "x", session="t") for n in range(1, 4)]
    await fold(db, views, record([*others, *(said(n, f"{n}") for n in range(1, 12))]))

    async def page(offset, size, *, descending):
        messages, total = await read_message_page(
            db, "w", "s", (offset, size), descending=descending
        )
        assert total == 11
        return [int(each["content"]) for each in msgspec.json.decode(messages)]

    forth, back = list(range(1, 12)), list(range(11, 0, -1))
    for size in (1, 3, 5, 11, 100):
        for offset in (0, 1, 5, 10, 11, 12, 2**40):
            expected = slice(offset, offset + size)
            assert await page(offset, size, descending=False) == forth[expected]
            assert await page(offset, size, descending=True) == back[expected]


async def test_a_session_nobody_spoke_in_has_no_messages(db):
    await create(db, [Messages()])
    found = await read_message_page(db, "w", "none", (0, 50))
    assert found == (msgspec.Raw(b"[]"), 0)
