"""Whatever is put where: never a 500, and JSON of one of the known shapes."""

import random

import msgspec

DOORS = [
    ("POST", "", {"id": "acme", "metadata": {}, "configuration": {}}),
    ("PUT", "/acme", {"metadata": {}, "configuration": {"summary": {}}}),
    ("POST", "/acme/peers", {"id": "ann", "metadata": {}, "configuration": {}}),
    ("PUT", "/acme/peers/ann", {"metadata": {}, "configuration": {}}),
    ("PUT", "/acme/peers/ann/card", {"peer_card": ["tall"]}),
    (
        "POST",
        "/acme/peers/ann/chat",
        {"query": "?", "target": "ann", "session_id": "s1", "reasoning_level": "low"},
    ),
    (
        "POST",
        "/acme/sessions",
        {"id": "s1", "peers": {"ann": {}}, "configuration": {"reasoning": {}}},
    ),
    ("PUT", "/acme/sessions/s1", {"metadata": {}, "configuration": {"dream": {}}}),
    ("POST", "/acme/sessions/s1/peers", {"ann": {"observe_me": True}}),
    ("DELETE", "/acme/sessions/s1/peers", ["ann"]),
    (
        "POST",
        "/acme/sessions/s1/messages",
        {
            "messages": [
                {
                    "content": "hello",
                    "peer_id": "ann",
                    "metadata": {"a": 1},
                    "configuration": {"reasoning": {"enabled": True}},
                    "created_at": "2024-01-01T00:00:00Z",
                }
            ]
        },
    ),
]

ODD = [
    *(None, True, False, 0, 1, -1, 2**70, -(2**70), 1.5, 1e308, -0.0),
    *("", "a", "a b", "\x00", "a\x00b", "é🙂\u2028", "a" * 600, "x" * 30_000),
    *("2024-02-30", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1e400"),
    *([], {}, [[]], [None], {"": None}, {"a": {"b": {"c": {"d": {"e": {}}}}}}),
    *({"id": "s1"}, ["ann"], {"enabled": None}, {str(n): n for n in range(120)}),
]

NAMES = [
    "acme",
    "a.b",
    "%00",
    "a%00b",
    "é",
    "%F0%9F%99%82",
    "a" * 600,
    "{x}",
    "..",
    "+",
]


def mutated(value, chance):
    """Put something odd in some places of a value."""
    if chance.random() < 0.12:
        return chance.choice(ODD)
    if isinstance(value, dict):
        changed = {key: mutated(each, chance) for key, each in value.items()}
        if changed and chance.random() < 0.1:
            changed.pop(chance.choice(list(changed)))
        if chance.random() < 0.15:
            changed[chance.choice(["x", "", "\x00k", "id", "name"])] = chance.choice(
                ODD
            )
        return changed
    if isinstance(value, list):
        return [mutated(each, chance) for each in value] * chance.choice([1, 1, 1, 2])
    return value


def renamed(path, chance):
    """Put an odd name in some place of a path."""
    parts = path.split("/")
    if len(parts) > 1 and chance.random() < 0.15:
        parts[chance.randrange(1, len(parts))] = chance.choice(NAMES)
    return "/".join(parts)


async def test_whatever_is_sent(app):
    chance = random.Random(20261122)
    seen = set()
    for turn in range(1_200):
        method, path, body = chance.choice(DOORS)
        sent, where = mutated(body, chance), renamed(path, chance)
        answer = await app.send(method, where, sent)
        what = (turn, method, where[:80], str(sent)[:300], answer.text[:300])
        assert answer.status_code < 500, what
        if answer.status_code >= 400:
            assert set(msgspec.json.decode(answer.content)) == {"detail"}, what
        seen.add(answer.status_code)
    assert seen >= {200, 201, 404, 422}
