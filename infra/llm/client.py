"""The SDK's client, kept from retrying by itself and from asking anybody else."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from openai import AsyncOpenAI, DefaultAsyncHttpxClient, Timeout

from infra.llm.endpoint import Endpoint
from infra.llm.patience import Patience

TALKATIVE: Final = ("openai", "anthropic", "httpx2", "httpcore2")
"""Loggers that tell of requests, some of them with what was said."""


@asynccontextmanager
async def open_client(
    endpoint: Endpoint, patience: Patience | None = None
) -> AsyncIterator[AsyncOpenAI]:
    """Open a client of one endpoint; its connections are closed at the end.

    Redirects are not followed: they would carry what is said to another host.
    """
    quieten()
    bounds = (patience or Patience()).within(endpoint.timeout)
    timeout = Timeout(bounds.whole, connect=min(bounds.connect, bounds.whole))
    http = DefaultAsyncHttpxClient(timeout=timeout, follow_redirects=False)
    async with AsyncOpenAI(
        api_key=endpoint.api_key.get_secret_value(),
        base_url=endpoint.base_url,
        timeout=timeout,
        max_retries=0,
        default_headers=endpoint.headers or None,
        default_query=endpoint.query or None,
        http_client=http,
    ) as client:
        # What the environment says of an account belongs to other programs.
        client.organization = client.project = None
        yield client


def quieten() -> None:
    """Keep what is said out of the process log, at any level."""
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
