"""What every chapter of the replay is given."""

import asyncio
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from honcho import Honcho

from tests.e2e.sdk.voice import Voice

PROCESSED_WITHIN = 90.0


@dataclass
class Story:
    """A server, a voice, and clients of workspaces of its own."""

    url: str
    ask: Voice
    keys: dict[str, str] = field(default_factory=dict)
    workspace: str = field(default_factory=lambda: f"replay-{uuid.uuid4().hex[:8]}")
    clients: list[Honcho] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.honcho = self.client(self.workspace)

    def client(self, workspace: str, **options: Any) -> Honcho:
        """Return a client of a workspace, closed when the chapter ends."""
        given = {"base_url": self.url, "max_retries": 0, "timeout": 120.0} | options
        client = Honcho(workspace_id=workspace, **given)
        self.clients.append(client)
        return client

    async def close(self) -> None:
        for client in self.clients:
            client._http.close()
            if client._async_http is not None:
                await client._async_http.close()

    async def until_processed(self, at_least: int) -> Any:
        """Wait until so many tasks are done and none is left; return the status."""
        deadline = time.monotonic() + PROCESSED_WITHIN
        while time.monotonic() < deadline:
            status = await self.ask(self.honcho).queue_status()
            left = status.pending_work_units + status.in_progress_work_units
            if status.completed_work_units >= at_least and left == 0:
                return status
            await asyncio.sleep(0.02)
        raise AssertionError(f"still at work: {status}")

    async def until_found(self, view: Any, count: int) -> None:
        """Wait until so many are found by meaning, which may lag (HC 1.19)."""
        deadline = time.monotonic() + PROCESSED_WITHIN
        while len(await self.ask(view).query("anything")) < count:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
