"""Reads for dreams what is on a card, and whether agents may write it."""

from commands.decide import Decide
from commands.parents import watch_named_session, watch_named_workspace
from domain.configuration import makes_cards
from domain.moment import NOW
from domain.names import is_name
from infra.dream_news import StoredNews
from processors.dream_news import Pair
from processors.dream_run import CardShown, Task
from projections.cards import show_card
from projections.ports import Database


class StoredCards:
    """Fulfils ``processors.dream_run.ReadCard``."""

    def __init__(self, news: StoredNews, database: Database) -> None:
        self._news = news
        self._database = database

    async def __call__(self, pair: Pair, position: int | None = None) -> CardShown:
        """Return the card at a position, or as it stands, once the views know all."""
        await self._news.head()
        as_of = NOW if position is None else position
        async with self._database.acquire() as db:
            card = await show_card(db, pair, as_of)
        if card is None:
            return CardShown()
        lines = tuple((line.id, line.text) for line in card.lines)
        return CardShown(lines, card.version)


class ConfiguredCards:
    """Fulfils ``processors.specialists.MakesCards``."""

    def __init__(self, decide: Decide, *, otherwise: bool) -> None:
        self._decide = decide
        self._otherwise = otherwise

    async def __call__(self, task: Task) -> bool:
        """Tell what the workspace and the session of the dream say."""
        workspace, session = task.dream.workspace, task.dream.named_session
        place = await self._decide.look(watch_named_workspace(workspace))
        levels = [place.configuration]
        if session is not None and is_name(session):
            state = await self._decide.look(watch_named_session(workspace, session))
            levels.append(state.configuration)
        return makes_cards(*levels, otherwise=self._otherwise)
