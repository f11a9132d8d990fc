"""Something memory holds that may answer a question."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Known:
    """A conclusion or a message found for a question.

    `peer` is the observed peer of a conclusion, the author of a message. `score` is
    the cosine similarity to the question, 0 if only its words were found. `evidence`
    are the ids of the messages a conclusion rests on.
    """

    kind: Literal["conclusion", "message"]
    id: str
    text: str
    at: datetime
    peer: str
    score: float
    evidence: tuple[str, ...] = ()
