"""Anthropic's client, kept from retrying by itself and from asking anybody else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anthropic import AsyncAnthropic, DefaultAsyncHttpxClient, Timeout

from infra.llm.client import quieten
from infra.llm.endpoint import Endpoint
from infra.llm.patience import Patience


@asynccontextmanager
async def open_anthropic(
    endpoint: Endpoint, patience: Patience
) -> AsyncIterator[AsyncAnthropic]:
    """Open a client of one endpoint; its connections are closed at the end.

    Redirects are not followed, and nothing is told to a tracer: either would carry
    what is said elsewhere.
    """
    quieten()
    bounds = patience.within(endpoint.timeout)
    timeout = Timeout(bounds.whole, connect=min(bounds.connect, bounds.whole))
    http = DefaultAsyncHttpxClient(timeout=timeout, follow_redirects=False)
    async with AsyncAnthropic(
        api_key=endpoint.api_key.get_secret_value(),
        base_url=endpoint.base_url,
        timeout=timeout,
        max_retries=0,
        default_headers=endpoint.headers or None,
        default_query=endpoint.query or None,
        open_telemetry=False,
        http_client=http,
    ) as client:
        yield client
