"""The port of a language model: what is asked, what is answered, what it took (RS 8).

Unavailable     somebody we depend on does not answer now; it may later
├── Malformed   a model answered, but not in the form it was asked for
└── BudgetExhausted  the workspace may spend no more
ModelRefused    a model will not answer this, however often it is asked
"""

from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final, Literal, Protocol

import msgspec

from domain.event import Call


class Unavailable(Exception):  # noqa: N818  says what happened
    """A model, an embedder or a store does not answer now, and may later.

    That covers what a person has to mend, such as a wrong key. ``retry_after`` is in
    seconds, None when nobody knows; ``str()`` names who does not answer, and never
    what was said. ``in_vain`` is what was paid for all the same, where it is known.
    """

    def __init__(
        self,
        who: str,
        retry_after: float | None = None,
        in_vain: "Completion | None" = None,
    ) -> None:
        super().__init__(f"{who} does not answer")
        self.retry_after = retry_after
        self.in_vain = in_vain


class Malformed(Unavailable):
    """A model answered, even asked again, what does not fit the schema."""


WITHHELD: Final = frozenset(
    {
        "content_filter",
        "refusal",
        "safety",
        "recitation",
        "prohibited_content",
        "blocklist",
    }
)
"""Why an answer is kept back, as providers say it (RS 8.3)."""


class ModelRefused(Exception):  # noqa: N818  says what happened
    """A model will not answer this prompt; asking again is in vain.

    ``reason`` is a word for the record, such as ``content_filter``; never content.
    ``in_vain`` is what was paid for all the same, where it is known.
    """

    def __init__(
        self, who: str, reason: str, in_vain: "Completion | None" = None
    ) -> None:
        super().__init__(f"{who} refused ({reason})")
        self.reason = reason
        self.in_vain = in_vain

    @property
    def withheld(self) -> bool:
        """Whether the answer is kept back for what it says, not how it was asked."""
        return self.reason in WITHHELD


class BudgetExhausted(Unavailable):
    """The workspace has spent what it may; no model is asked for it until that changes.

    ``str()`` says of what budget how much is used, and when it renews; nothing was
    sent. ``retry_after`` is when to look again: somebody may allow more before then.
    """

    def __init__(self, told: str, retry_after: float) -> None:
        super().__init__(told, retry_after)
        self.args = (told,)


Feature = Literal[
    "deriver.representation",
    "summary.short",
    "summary.long",
    "dialectic.answer",
    "dream.deduction",
    "dream.induction",
    "dream.card_refresh",
]
"""What a model is asked for (RS 11.1); usage and cost are counted by it."""


class Purpose(msgspec.Struct, frozen=True, kw_only=True):
    """For whom a model is asked: by this a call is journalled, paid and told apart.

    ``key`` names the work within the workspace and is the same when it is done again,
    such as the ids of what was read and the step; with the same request, what was
    answered then is answered again and paid once. "" is never the same. ``run`` joins
    the calls of one agent run or answer, counted from 1 by ``step``, 0 where there is
    but one; ``peer`` is the observed peer, or who asks.
    ``session`` is whose erasure must take along what was answered; None: the
    workspace's.
    """

    workspace: str
    feature: Feature
    key: str = ""
    run: str = ""
    step: int = 0
    peer: str | None = None
    session: str | None = None


class ToolCall(msgspec.Struct, frozen=True):
    """A model wants a tool used; ``arguments`` are the JSON text it wrote."""

    id: str
    name: str
    arguments: str


class ToolOffer(msgspec.Struct, frozen=True):
    """A tool a model may use; ``parameters`` are a JSON Schema of an object."""

    name: str
    description: str
    parameters: Mapping[str, Any]


class Turn(msgspec.Struct, frozen=True):
    """One message of a conversation with a model.

    An assistant's may carry ``calls``; a tool's answers the one named by ``call``.
    ``artefacts`` are what only the provider reads, and wants back with its own turn
    (RS 8.3): blocks of thought, signatures. They are never recorded in an event.
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    calls: tuple[ToolCall, ...] = ()
    call: str | None = None
    artefacts: tuple[Mapping[str, Any], ...] = ()


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """What a model is asked.

    ``max_tokens`` bounds the answer; ``temperature`` None leaves the configured one.
    Of ``tools`` it may use any, none or, where they are ``required``, at least one.
    Who asks without a ``purpose`` is neither journalled nor counted.
    """

    turns: tuple[Turn, ...]
    max_tokens: int
    temperature: float | None = None
    tools: tuple[ToolOffer, ...] = ()
    tool_choice: Literal["auto", "none", "required"] = "auto"
    purpose: Purpose | None = None


class JsonSchema(msgspec.Struct, frozen=True):
    """The form an answer must have; ``name`` is 1 to 64 of ``A-Za-z0-9_-``.

    ``shown`` is what the model is given if it says more than is enforced.
    """

    name: str
    schema: Mapping[str, Any]
    shown: Mapping[str, Any] | None = None


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens spent; ``input`` counts those of the provider's cache too.

    Of them ``cached`` were read from it, and ``cache_written`` put there.
    """

    input: int = 0
    output: int = 0
    cached: int = 0
    reasoning: int = 0
    calls: int = 1
    cache_written: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        """Add up what several calls cost."""
        return Usage(
            input=self.input + other.input,
            output=self.output + other.output,
            cached=self.cached + other.cached,
            reasoning=self.reasoning + other.reasoning,
            calls=self.calls + other.calls,
            cache_written=self.cache_written + other.cache_written,
        )


class Completion(msgspec.Struct, frozen=True, kw_only=True):
    """What a model answered, and which one; ``finish`` says why it ended.

    ``length`` means the answer is cut at ``max_tokens``, ``tools`` that it goes on once
    the ``calls`` are answered. ``call`` is what it took beside tokens; ``artefacts`` go
    back with its turn. ``transport`` is of who answered, "" where that is the model
    that was asked; ``fallback`` says that it was not.
    """

    text: str
    model: str
    usage: Usage
    finish: Literal["stop", "length", "tools", "other"] = "stop"
    call: Call = Call()
    calls: tuple[ToolCall, ...] = ()
    artefacts: tuple[Mapping[str, Any], ...] = ()
    transport: str = ""
    fallback: bool = False

    @property
    def turn(self) -> Turn:
        """The turn with which a conversation goes on."""
        return Turn("assistant", self.text, self.calls, artefacts=self.artefacts)


class Structured(msgspec.Struct, frozen=True):
    """A value that fits the schema it was asked for in, and the answer it is from.

    The completion's usage and call are of all calls it took.
    """

    value: Any
    completion: Completion


class LanguageModel(Protocol):
    """One configured model. Retries what can succeed by itself, within bounds.

    ``transport`` and ``model`` name it before it has answered; ``parameters`` are
    what was configured beside them. All are recorded with what it produces.
    """

    @property
    def transport(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def parameters(self) -> Mapping[str, str]: ...

    async def complete(self, prompt: Prompt) -> Completion:
        """Answer in full.

        Raises:
            Unavailable, ModelRefused
        """
        ...

    def stream(
        self, prompt: Prompt, schema: JsonSchema | None = None
    ) -> AsyncGenerator[str | Completion, None]:
        """Yield the answer piece by piece, and last the Completion of them all.

        Closing the generator ends the call at the provider. An answer that breaks
        off raises; a piece that was yielded is never taken back by a retry. That an
        answer fits ``schema`` is asked for and not checked.

        Raises:
            Unavailable, ModelRefused
        """
        ...

    async def structured(self, prompt: Prompt, schema: JsonSchema) -> Structured:
        """Answer with a JSON value of that form, asking once more if it is not.

        Raises:
            Malformed, Unavailable, ModelRefused
        """
        ...
