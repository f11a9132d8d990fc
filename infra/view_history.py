"""The views and the log they are folded from, to whoever asks at a moment."""

from datetime import datetime

from infra.folded_views import FoldedViews
from infra.postgres.event_store import PostgresEventStore


class ViewHistory:
    """Fulfils ``projections.ports.Views``."""

    def __init__(
        self, prompt: FoldedViews, lagging: FoldedViews, log: PostgresEventStore
    ) -> None:
        self._prompt = prompt
        self._lagging = lagging
        self._log = log

    @property
    def position(self) -> int:
        """The highest position all prompt views have passed."""
        return self._prompt.position

    @property
    def vectors(self) -> FoldedViews:
        """The views that lag, of which vectors are one."""
        return self._lagging

    async def wait_for(self, position: int, timeout: float) -> bool:  # noqa: ASYNC109  the bound is the point
        return await self._prompt.wait_for(position, timeout)

    async def head(self) -> int:
        return await self._log.head()

    async def position_at(self, moment: datetime) -> int:
        return await self._log.position_at(moment)
