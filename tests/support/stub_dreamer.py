"""What a stub of the OpenAI protocol says where a dream asks it.

It looks at memory, deduces one thing from the first two conclusions it is shown, puts
it on the card, finds one pattern in the same two, and is done. What it answers
follows from the conversation alone, so that the same question has the same answer.
"""

import re

from tests.support.stub_replies import Answer

LOOKED = "get_recent_observations"


def dreams(call):
    """Tell whether a call is of a dream."""
    return any(
        tool["function"]["name"] == LOOKED for tool in call.body.get("tools", ())
    )


def dreaming(call):
    """Go one step further than the conversation has come."""
    offered = {tool["function"]["name"] for tool in call.body["tools"]}
    told = [each["content"] for each in call.body["messages"] if each["role"] == "tool"]
    if not told:
        return Answer(calls=((LOOKED, {"limit": 20}),))
    labels = re.findall(r"^\[(c\d+)\]", told[0], re.MULTILINE)[:2]
    if len(told) == 1 and len(labels) == 2:
        return Answer(calls=(_conclude(offered, labels),))
    if len(told) == 2 and "update_peer_card" in offered:
        line = {"content": "ATTRIBUTE: Sails", "source_ids": labels[:1]}
        return Answer(calls=(("update_peer_card", {"entries": [line]}),))
    return "Done"


def _conclude(offered, labels):
    item = {"content": "ann sails and swims", "source_ids": labels}
    if "create_observations_inductive" not in offered:
        return "create_observations_deductive", {"observations": [item]}
    item = {
        **item,
        "content": "ann tends to be on the water",
        "pattern_type": "tendency",
        "confidence": "high",
    }
    return "create_observations_inductive", {"observations": [item]}
