"""Settings of what processors, and views that may lag, are fed from (section 4)."""

from typing import Literal, Self

from pydantic import Field, model_validator

from infra.settings.kafka import KafkaSettings


class FeedSettings(KafkaSettings):
    """The section feed."""

    feed_type: Literal["postgres", "kafka"] = Field(
        default="postgres",
        description="what follows from events reads them from the log, or from its"
        " topic: kafka needs KAFKA_BOOTSTRAP_SERVERS",
    )

    @model_validator(mode="after")
    def _kafka_has_brokers(self) -> Self:
        if self.feed_type == "kafka" and not self.kafka_bootstrap_servers:
            raise ValueError("FEED_TYPE=kafka needs KAFKA_BOOTSTRAP_SERVERS")
        return self
