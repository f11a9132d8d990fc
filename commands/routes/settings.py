"""Configuration as it is sent and stored: known sections checked, others kept."""

from collections.abc import Callable
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)

from commands.ports import Limits
from commands.routes.free_json import Text, clean

_LONGEST_TOKEN = 128
"""Characters no token is longer than."""


def _short_enough(text: str, info: ValidationInfo) -> str:
    """Refuse instructions of more tokens than a deployment allows (HC 5.1)."""
    limits: Limits = (info.context or {})["limits"]
    most = limits.instructions
    if len(text) > _LONGEST_TOKEN * most or (
        len(text) > most and _count(info)(text) > most
    ):
        raise ValueError(f"custom_instructions must not exceed {most} tokens")
    return text


def _count(info: ValidationInfo) -> Callable[[str], int]:
    count: Callable[[str], int] = (info.context or {})["count_tokens"]
    return count


Instructions = Annotated[Text, AfterValidator(_short_enough)]


class _Instructed(BaseModel):
    """A section that clients since 2.6 may give instructions of its own (HC 7.5)."""

    custom_instructions: Instructions | None = None


class Reasoning(_Instructed):
    """Whether and how messages are reasoned about."""

    enabled: bool | None = None


class PeerCard(_Instructed):
    """Whether peer cards are used and made."""

    use: bool | None = None
    create: bool | None = None


class Summary(_Instructed):
    """Whether and how often sessions are summed up."""

    enabled: bool | None = None
    messages_per_short_summary: Annotated[int, Field(ge=10)] | None = None
    messages_per_long_summary: Annotated[int, Field(ge=20)] | None = None

    @model_validator(mode="after")
    def _long_is_longer(self) -> Self:
        short, long = self.messages_per_short_summary, self.messages_per_long_summary
        if short is not None and long is not None and long <= short:
            raise ValueError(
                "messages_per_long_summary must be greater than "
                "messages_per_short_summary"
            )
        return self


class Dream(_Instructed):
    """Whether memory is consolidated in the background."""

    enabled: bool | None = None


class Budget(BaseModel):
    """What a workspace may spend on models in the deployment's window."""

    max_cost_usd: Annotated[float, Field(ge=0, le=1_000_000_000)] | None = None
    max_tokens: Annotated[int, Field(ge=0, le=2**53)] | None = None


class Configuration(BaseModel):
    """A workspace's or a session's configuration (HC 5.1)."""

    model_config = ConfigDict(extra="allow")

    reasoning: Reasoning | None = None
    peer_card: PeerCard | None = None
    summary: Summary | None = None
    dream: Dream | None = None

    @model_validator(mode="after")
    def _storable(self) -> Self:
        if self.__pydantic_extra__:
            self.__pydantic_extra__ = clean(self.__pydantic_extra__)
        return self

    def stored(self) -> dict[str, Any]:
        """Return what is kept: no nulls in known sections, all else as sent."""
        known = {
            name: section.model_dump(exclude_none=True)
            for name in type(self).model_fields
            if (section := getattr(self, name)) is not None
        }
        return {**(self.__pydantic_extra__ or {}), **known}


class WorkspaceConfiguration(Configuration):
    """A workspace's configuration, which may cap what models cost it."""

    budget: Budget | None = None


class MessageConfiguration(BaseModel):
    """A message's configuration: only reasoning is honoured (HC 5.1)."""

    reasoning: Reasoning | None = None

    def stored(self) -> dict[str, Any]:
        """Return what counts of it."""
        return self.model_dump(exclude_none=True)


def stored(settings: Configuration | MessageConfiguration | None) -> Any:
    """Return what is kept of a configuration, None when none was sent."""
    return None if settings is None else settings.stored()
