"""Signs a body and posts it: once, bounded, following nothing (HC E51)."""

import asyncio
import hashlib
import hmac
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx

from domain.webhook import is_webhook_url
from processors.sending import Sent

WITHIN: Final = 30.0
"""Seconds an endpoint has to answer, all in all."""

_TALKATIVE: Final = ("httpx", "httpcore")
"""Loggers that tell of requests with their URLs, which may hold a token."""


class HttpSender:
    """Fulfils ``processors.sending.WebhookSender``.

    Proxies and credentials of the environment are not used, redirects not followed,
    answers not read: an endpoint learns nothing but what it is told.
    """

    def __init__(
        self, client: httpx.AsyncClient, secret: str, *, within: float = WITHIN
    ) -> None:
        self._client = client
        self._secret = secret.encode()
        self._within = within

    @staticmethod
    @asynccontextmanager
    async def open(
        secret: str, *, within: float = WITHIN
    ) -> "AsyncIterator[HttpSender]":
        """Open connections of its own."""
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)
        async with httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            timeout=within,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            headers={"User-Agent": "palimpsest"},
        ) as client:
            yield HttpSender(client, secret, within=within)

    async def send(
        self, url: str, body: bytes, trace_parent: str | None = None
    ) -> Sent:
        """Post it; what the network does is an outcome, not an error."""
        if not is_webhook_url(url):
            return Sent(None, "refused")
        headers = {
            "Content-Type": "application/json",
            "X-Honcho-Signature": signature_of(self._secret, body),
        }
        if trace_parent is not None:
            headers["traceparent"] = trace_parent
        try:
            async with (
                asyncio.timeout(self._within),
                self._client.stream(
                    "POST", url, content=body, headers=headers
                ) as response,
            ):
                return Sent(response.status_code)
        except TimeoutError:
            return Sent(None, "TimeoutError")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            # Its text would quote the URL, which may hold a token.
            return Sent(None, type(error).__name__)


def signature_of(secret: bytes, body: bytes) -> str:
    """Return the lowercase hex HMAC-SHA256 of these exact bytes."""
    return hmac.new(secret, body, hashlib.sha256).hexdigest()
