"""Webhooks: the endpoints of a workspace, and what is delivered to them (HC 2.7)."""

from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from socket import inet_aton
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from domain.errors import Conflict, NotFound
from domain.event import Event, Personal

MAX_URL = 2_048
"""Longest URL in characters (RS 1.10)."""

WebhookKind = Literal["queue.empty", "test.event"]
QueueType = Literal["representation", "summary"]


class WebhookCreated(Event, frozen=True, kw_only=True, tag="webhook-created"):
    """An endpoint wants to hear what happens in the workspace."""

    id: str
    url: Personal[str]
    created_at: datetime


class WebhookDeleted(Event, frozen=True, kw_only=True, tag="webhook-deleted"):
    """An endpoint hears nothing more, not even what waits for it."""

    id: str


class WebhookRequested(Event, frozen=True, kw_only=True, tag="webhook-requested"):
    """Something is to be delivered to one endpoint, signed, until it is accepted.

    ``queue_type``, ``session`` and ``observed`` say which work unit drained.
    """

    delivery: str
    endpoint: str
    kind: WebhookKind
    requested_at: datetime
    queue_type: QueueType | None = None
    session: str | None = None
    observer: str | None = None
    observed: str | None = None


class WebhookAttemptFailed(
    Event, frozen=True, kw_only=True, tag="webhook-attempt-failed"
):
    """An attempt was not accepted; ``retry_at`` is when the next one is due.

    ``status`` is the HTTP status if one came, ``error`` a word for why none did.
    """

    delivery: str
    endpoint: str
    attempt: int
    at: datetime
    retry_at: datetime
    status: int | None = None
    error: str | None = None


class WebhookDelivered(Event, frozen=True, kw_only=True, tag="webhook-delivered"):
    """An endpoint accepted a delivery at its ``attempt``-th attempt."""

    delivery: str
    endpoint: str
    attempt: int
    at: datetime
    status: int


class WebhookFailed(Event, frozen=True, kw_only=True, tag="webhook-failed"):
    """The last attempt was not accepted either; only a replay tries again."""

    delivery: str
    endpoint: str
    attempt: int
    at: datetime
    status: int | None = None
    error: str | None = None


class WebhookReplayRequested(
    Event, frozen=True, kw_only=True, tag="webhook-replay-requested"
):
    """Somebody wants a delivery made again, whatever came of it before."""

    delivery: str
    endpoint: str
    requested_at: datetime


class Webhooks(msgspec.Struct, frozen=True):
    """The endpoints of a workspace by id, in the order they came."""

    endpoints: dict[str, WebhookCreated] = {}

    def at(self, url: str) -> WebhookCreated | None:
        """Return the endpoint of a URL, if there is one."""
        found = (each for each in self.endpoints.values() if each.url == url)
        return next(found, None)


def evolve_webhooks(state: Webhooks, event: Event) -> Webhooks:
    """Fold one event into the state; events of other aggregates change nothing."""
    match event:
        case WebhookCreated():
            return Webhooks({**state.endpoints, event.id: event})
        case WebhookDeleted():
            left = {k: v for k, v in state.endpoints.items() if k != event.id}
            return Webhooks(left)
        case _:
            return state


def create_webhook(
    state: Webhooks, event: WebhookCreated, limit: int
) -> list[WebhookCreated]:
    """Add an endpoint unless its URL is there (HC E48).

    Raises:
        Conflict: the workspace has ``limit`` endpoints.
    """
    if state.at(event.url) is not None:
        return []
    if len(state.endpoints) >= limit:
        raise Conflict(
            f"Maximum number of webhook endpoints ({limit}) reached for this workspace."
        )
    return [event]


def delete_webhook(state: Webhooks, event: WebhookDeleted) -> list[WebhookDeleted]:
    """Remove an endpoint (HC E50).

    Raises:
        NotFound: there is none of this id.
    """
    if event.id not in state.endpoints:
        raise NotFound(
            f"Webhook endpoint {event.id} not found for workspace {event.workspace}"
        )
    return [event]


def is_webhook_url(url: str) -> bool:
    """Tell whether a URL may be an endpoint's (HC E48).

    It is http or https with a host that is no address of a private or reserved
    network, in any notation a resolver reads. Host names are not looked up: what
    they mean may change, and ``localhost`` is accepted.
    """
    if any(not each.isprintable() or each.isspace() for each in url):
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if parts.scheme.lower() not in {"http", "https"} or not host:
        return False
    address = _address(host)
    return address is None or (address.is_global and not address.is_multicast)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """Read an address as resolvers do: ``127.1`` and ``0x7f000001`` are ones too."""
    try:
        found = ip_address(host.partition("%")[0].rstrip("."))
    except ValueError:
        try:
            return IPv4Address(inet_aton(host.rstrip(".")))
        except (OSError, UnicodeError):
            return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found
