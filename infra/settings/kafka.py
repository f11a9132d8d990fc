"""Settings of Kafka (architecture section 5)."""

from typing import Literal, Self

from pydantic import BaseModel, Field, SecretStr, model_validator


class KafkaSettings(BaseModel):
    """The section kafka."""

    kafka_bootstrap_servers: str | None = Field(
        default=None, description="brokers to begin with, as in `one:9092,two:9092`"
    )
    kafka_topic: str = Field(
        default="palimpsest.events.v1",
        pattern=r"^[A-Za-z0-9._-]{1,200}$",
        description="the topic of events; later generations of it end in -g2, -g3",
    )
    kafka_partitions: int = Field(
        default=12,
        ge=1,
        le=1_024,
        description="partitions of a topic that is made; a later change asks for "
        "`palimpsest relay repartition`",
    )
    kafka_replication_factor: int = Field(
        default=1,
        ge=1,
        le=9,
        description="brokers that keep each record; from 2 on a write waits for all "
        "but one of them",
    )
    kafka_content: Literal["sealed", "clear"] = Field(
        default="sealed",
        description="what is personal in the topic: sealed as in the log, so that "
        "erasing reaches it, or clear for who governs the topic's retention",
    )
    kafka_dead_letters_topic: str = Field(
        default="palimpsest.dead-letters.v1",
        pattern=r"^[A-Za-z0-9._-]{1,200}$",
        description="the topic that is told of records and keys nobody could handle",
    )
    kafka_instance_id: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9._-]{1,200}$",
        description="this worker's own name in its group, the same after a restart: "
        "back within the session, it keeps its partitions and nobody else is stopped; "
        "none: whoever leaves is followed at once",
    )
    kafka_session_seconds: float = Field(
        default=20.0,
        ge=1.0,
        le=1_800.0,
        description="silence of a worker after which others take its partitions",
    )
    kafka_group_prefix: str = Field(
        default="palimpsest",
        pattern=r"^[A-Za-z0-9._-]{1,100}$",
        description="begins the name of every consumer group, and of the relay's "
        "producer: deployments that share brokers have one each",
    )
    kafka_security_protocol: Literal[
        "PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"
    ] = Field(
        default="PLAINTEXT",
        description="how brokers are spoken to: in the clear or by TLS (SSL), with a"
        " name and a password (SASL) or without",
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="how a name and a password are shown"
    )
    kafka_sasl_username: str | None = Field(default=None, description="the name")
    kafka_sasl_password: SecretStr | None = Field(
        default=None, description="the password"
    )
    kafka_ssl_cafile: str | None = Field(
        default=None,
        description="a file (PEM) of authorities to trust; none: the system's",
    )
    kafka_ssl_certfile: str | None = Field(
        default=None, description="a file (PEM) of our own certificate, for mutual TLS"
    )
    kafka_ssl_keyfile: str | None = Field(
        default=None,
        description="the file (PEM) of its key; none: it is in the same file",
    )
    kafka_ssl_key_password: SecretStr | None = Field(
        default=None, description="what opens that key, if it is locked"
    )
    kafka_ssl_check_hostname: bool = Field(
        default=True,
        description="want brokers' certificates to be of the names they are reached by",
    )

    @model_validator(mode="after")
    def _kafka_is_told_who_we_are(self) -> Self:
        if self.kafka_security_protocol.startswith("SASL"):
            for name in ("kafka_sasl_username", "kafka_sasl_password"):
                if getattr(self, name) is None:
                    raise ValueError(
                        f"KAFKA_SECURITY_PROTOCOL={self.kafka_security_protocol} needs"
                        f" {name.upper()}"
                    )
        return self
