"""The SDK's client, kept from retrying by itself and from asking anybody else."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from openai import AsyncOpenAI, DefaultAsyncHttpxClient, Timeout

from infra.llm.endpoint import Endpoint

_CONNECT_WITHIN: Final = 10.0

_TALKATIVE: Final = ("openai", "httpx2", "httpcore2")
"""Loggers that tell of requests, some of them with what was said."""


@asynccontextmanager
async def open_client(endpoint: Endpoint) -> AsyncIterator[AsyncOpenAI]:
    """Open a client of one endpoint; its connections are closed at the end.

    Redirects are not followed: they would carry what is said to another host.
    """
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    timeout = Timeout(endpoint.timeout, connect=min(_CONNECT_WITHIN, endpoint.timeout))
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
