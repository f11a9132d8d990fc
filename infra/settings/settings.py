"""Everything that can be set, and the order in which it is looked for."""

from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from infra.settings.budget import BudgetSettings
from infra.settings.dialectic import DialecticSettings
from infra.settings.dream import DreamSettings
from infra.settings.embedding import EmbeddingSettings
from infra.settings.feed import FeedSettings
from infra.settings.llm import LlmSettings
from infra.settings.own_thinking import OwnThinking
from infra.settings.reasoning import ReasoningSettings
from infra.settings.rerank import RerankSettings
from infra.settings.server import ServerSettings
from infra.settings.telemetry import TelemetrySettings
from infra.settings.toml_file import TomlFile
from infra.settings.tool_output import ToolOutputSettings


class Settings(
    LlmSettings,
    ReasoningSettings,
    EmbeddingSettings,
    RerankSettings,
    DreamSettings,
    DialecticSettings,
    ToolOutputSettings,
    ServerSettings,
    FeedSettings,
    TelemetrySettings,
    BudgetSettings,
    BaseSettings,
):
    """Each field says what it means; a name's first word is its section."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        env_nested_delimiter="__",
        extra="ignore",
        frozen=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  never read
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over ``.env`` over ``config.toml``; nested ones are merged."""
        read = (init_settings, env_settings, dotenv_settings, TomlFile(settings_cls))
        return tuple(OwnThinking(each) for each in read)

    @property
    def chooses_embedder(self) -> bool:
        """Whether any of ``EMBEDDING_*`` names a model (architecture section 6)."""
        chosen = {"embedding_model_config", "embedding_vector_dimensions"}
        return not chosen.isdisjoint(self.model_fields_set)
