"""Chat as it is wired."""

from datetime import UTC, datetime

import pytest

from commands.asking import Unanswered
from infra.chat import ChatParts, make_chat
from infra.llm.models import open_models
from infra.settings import Settings
from tests.read_api.conftest import FoldedTo, Pointing, WordCounter


async def test_the_past_is_asked_once_its_vectors_are_there():
    """Else it is answered without them, and otherwise when it is asked again."""
    views = FoldedTo()
    views.position, views.vectors = 6, FoldedTo()
    views.vectors.position = 4
    parts = ChatParts(None, views, Pointing(), WordCounter(), lambda: datetime.now(UTC))
    settings = Settings(_env_file=None)
    async with open_models(settings) as models:
        chat = await make_chat(settings, models, parts)
    assert await chat.find_position(4) == 4
    with pytest.raises(Unanswered, match="have not reached position 5"):
        await chat.find_position(5)
    views.vectors.on_the_way = 5
    assert await chat.find_position(5) == 5
