"""A question of chat, as tests ask it."""

from commands.asking import AskedQuestion


def asked(**changed):
    plain = {
        "workspace": "acme",
        "peer": "ann",
        "target": "ann",
        "session": None,
        "query": "What does she drink?",
        "level": "low",
    }
    return AskedQuestion(**{**plain, **changed})
