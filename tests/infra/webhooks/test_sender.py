"""One attempt over HTTP: bounded, following nothing, telling nothing."""

import pytest

from infra.webhooks.sender import HttpSender
from processors.sending import Sent
from tests.support.receiver import receiving


@pytest.fixture
def receiver():
    with receiving() as found:
        yield found


async def test_a_status_is_an_outcome_whatever_it_is(receiver):
    receiver.answers |= {"/moved": [302], "/no": [404]}
    async with HttpSender.open("secret") as sender:
        sent = [
            await sender.send(receiver.url(p), b"{}") for p in ("/", "/moved", "/no")
        ]
    assert [each.status for each in sent] == [200, 302, 404]
    assert [each.is_accepted for each in sent] == [True, False, False]
    assert receiver.at("/elsewhere") == []


async def test_who_does_not_answer_in_time_is_given_up(receiver):
    async with HttpSender.open("secret", within=0.2) as sender:
        sent = await sender.send(receiver.url("/slow"), b"{}")
    assert sent.status is None
    assert "Time" in str(sent.error)


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://127.0.0.1:9/x", "refused"),
        ("http://localhost:1/x", "ConnectError"),
        ("http://no-such-host.invalid/x", "ConnectError"),
    ],
)
async def test_what_cannot_be_reached_is_a_word(url, error):
    async with HttpSender.open("secret") as sender:
        assert await sender.send(url, b"{}") == Sent(None, error)


async def test_the_log_is_told_no_url(receiver, caplog):
    with caplog.at_level("INFO"):
        async with HttpSender.open("secret") as sender:
            await sender.send(receiver.url("/a-token-of-somebody"), b"{}")
    assert receiver.at("/a-token-of-somebody")
    assert "a-token-of-somebody" not in caplog.text
