"""A workspace keeps endpoints by URL, so many and no more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Conflict, NotFound
from domain.webhook import (
    WebhookCreated,
    WebhookDeleted,
    Webhooks,
    create_webhook,
    delete_webhook,
    evolve_webhooks,
    is_webhook_url,
)
from tests.domain.stories import NOON


def created(number=1):
    url = f"https://example.com/{number}"
    return WebhookCreated(workspace="w", id=f"h{number}", url=url, created_at=NOON)


def after(*events):
    state = Webhooks()
    for event in events:
        state = evolve_webhooks(state, event)
    return state


def test_a_url_is_kept_once():
    assert create_webhook(after(), created(), 1) == [created()]
    assert create_webhook(after(created()), created(), 1) == []


def test_the_limit_counts_what_is_there_now():
    with pytest.raises(Conflict, match=r"\(1\) reached"):
        create_webhook(after(created(1)), created(2), 1)
    gone = WebhookDeleted(workspace="w", id="h1")
    assert create_webhook(after(created(1), gone), created(2), 1) == [created(2)]


def test_only_what_is_there_is_deleted():
    gone = WebhookDeleted(workspace="w", id="h1")
    assert delete_webhook(after(created()), gone) == [gone]
    with pytest.raises(NotFound, match="Webhook endpoint h1 not found for workspace w"):
        delete_webhook(after(created(), gone), gone)


@given(st.text(max_size=60))
def test_any_text_is_a_url_or_none(text):
    assert is_webhook_url(text) in {True, False}
    assert is_webhook_url(f"http://{text}") in {True, False}


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_alike_in_every_notation(address):
    accepted = address.is_global and not address.is_multicast
    for host in (str(address), str(int(address)), hex(int(address))):
        assert is_webhook_url(f"http://{host}/x") is accepted
    assert is_webhook_url(f"http://[::ffff:{address}]/x") is accepted
