"""Every kind of write and read at two servers of one log, by chance: the laws hold."""

import time
from collections import Counter

import pytest

from tests.support.load import plain_client
from tests.support.spraying import SHARED, Sprayer

_DENSE = """
SELECT stream FROM log.event GROUP BY stream
HAVING count(*) <> max(version) OR min(version) <> 1
"""
_POSITIONS = """
SELECT count(*) AS events, coalesce(max(position), 0) AS head,
    (SELECT count(*) FROM (
        SELECT recorded_at < lag(recorded_at) OVER (ORDER BY position) AS back
        FROM log.event) AS e WHERE back) AS steps_back
FROM log.event
"""


@pytest.mark.parametrize(
    "seconds", [6, pytest.param(180, marks=pytest.mark.long)], ids=["short", "long"]
)
def test_two_servers_keep_every_law(pair, seconds):
    until = time.monotonic() + seconds
    sprayers = [Sprayer(pair.urls, seed, until) for seed in range(8)]
    for each in sprayers:
        each.start()
    for each in sprayers:
        each.join(seconds + 60)
    wrong = [said for each in sprayers for said in each.wrong]
    statuses = sum((each.statuses for each in sprayers), Counter())
    assert wrong == [], (wrong[:10], statuses)
    _assert_said_in_order(pair, sprayers)
    _assert_log_is_whole(pair)
    assert "Traceback" not in pair.said()
    pair.check_law()


def _assert_said_in_order(pair, sprayers):
    for session in SHARED:
        with plain_client(pair.urls[0]) as http:
            there = _all_ids(http, session)
        assert len(there) == len(set(there))
        place = {id_: n for n, id_ in enumerate(there)}
        for each in sprayers:
            mine = [place[id_] for id_ in each.said[session]]
            assert mine == sorted(mine)
        assert len(there) == sum(len(each.said[session]) for each in sprayers)


def _all_ids(http, session):
    found, page, pages = [], 0, 1
    while page < pages:
        page += 1
        answer = http.post(
            f"/v3/workspaces/w/sessions/{session}/messages/list",
            params={"page": page, "size": 100},
            json={},
        ).json()
        found += [each["id"] for each in answer["items"]]
        pages = answer["pages"]
    return found


def _assert_log_is_whole(pair):
    assert pair.fetch(_DENSE) == []
    [positions] = pair.fetch(_POSITIONS)
    assert positions["events"] == positions["head"]
    assert positions["steps_back"] == 0
