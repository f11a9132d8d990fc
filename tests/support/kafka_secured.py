"""A broker that asks who everybody is, and lets each do only what it was told.

Its ways in: ``scram`` (SASL_SSL, by SCRAM-SHA-512 or PLAIN), ``mutual`` (SSL with a
certificate of the client's), and the plain one of every test's broker, on loopback,
where whoever comes is the super user.
"""

import contextlib
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from infra.kafka.connecting import connecting
from tests.support.certificates import Authority
from tests.support.kafka_broker import Broker, Cluster, kafka_cluster
from tests.support.ports import free_port

ROLES = ("relay", "worker", "projector", "analytics", "operator", "reader", "nobody")

_LOGIN = "org.apache.kafka.common.security"

_FURTHER = """
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,INSIDE:PLAINTEXT,SCRAM:SASL_SSL,MUTUAL:SSL
listeners=PLAINTEXT://127.0.0.1:{port},INSIDE://127.0.0.1:{inside},CONTROLLER://127.0.0.1:{controller},SCRAM://127.0.0.1:{scram},MUTUAL://127.0.0.1:{mutual}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},INSIDE://127.0.0.1:{inside},SCRAM://127.0.0.1:{scram},MUTUAL://127.0.0.1:{mutual}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:admin
sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.scram.scram-sha-512.sasl.jaas.config={scram_login} required;
listener.name.scram.plain.sasl.jaas.config={plain_login} required {plain};
ssl.keystore.type=PEM
ssl.keystore.location={keys}
ssl.truststore.type=PEM
ssl.truststore.location={trusted}
listener.name.mutual.ssl.client.auth=required
listener.name.mutual.ssl.principal.mapping.rules=RULE:^CN=(.*?)$/$1/,DEFAULT
"""


@dataclass
class Secured:
    """Where it is, and how somebody shows who they are: fields of settings."""

    cluster: Cluster
    authority: Authority
    scram: int
    mutual: int
    prefix: str
    passwords: dict[str, str] = field(repr=False)

    def by_password(self, name: str, **further: object) -> dict[str, object]:
        """Return how ``name`` comes in with its password."""
        return {
            "kafka_bootstrap_servers": f"127.0.0.1:{self.scram}",
            "kafka_security_protocol": "SASL_SSL",
            "kafka_sasl_username": name,
            "kafka_sasl_password": self.passwords[name],
            "kafka_ssl_cafile": str(self.authority.cafile),
        } | further

    def by_certificate(self, name: str, **further: object) -> dict[str, object]:
        """Return how ``name`` comes in with a certificate, made now."""
        made = self.authority.issue(name)
        return {
            "kafka_bootstrap_servers": f"127.0.0.1:{self.mutual}",
            "kafka_security_protocol": "SSL",
            "kafka_ssl_cafile": str(self.authority.cafile),
            "kafka_ssl_certfile": str(made.certfile),
            "kafka_ssl_keyfile": str(made.keyfile),
        } | further

    def allow(self, wanted: Iterable[dict[str, Any]]) -> None:
        """Give exactly what is listed, as ``relay acls --json`` does."""
        with self.admin() as admin:
            acls = [_acl(each, op) for each in wanted for op in each["operations"]]
            made = admin.create_acls(acls)
        assert made["failed"] == [], made

    def change_password(self, name: str, password: str) -> None:
        """Have the broker want another."""
        wanted = UserScramCredentialUpsertion(
            name, ScramMechanism.SCRAM_SHA_512, password.encode()
        )
        with self.admin() as admin:
            admin.alter_user_scram_credentials([wanted])

    @contextlib.contextmanager
    def admin(self) -> Iterator[KafkaAdminClient]:
        """The super user, who came in by the plain way."""
        admin = KafkaAdminClient(
            bootstrap_servers=self.cluster.servers, kafka_client=connecting
        )
        try:
            yield admin
        finally:
            admin.close()


def _acl(told: dict[str, Any], operation: str) -> ACL:
    return ACL(
        told["principal"],
        "*",
        ACLOperation[operation],
        ACLPermissionType.ALLOW,
        ResourcePattern(
            ResourceType[told["resource"]],
            told["name"],
            ACLResourcePatternType[told["pattern"]],
        ),
    )


@contextlib.contextmanager
def secured_broker(folder: Path) -> Iterator[Secured]:
    """Start one; its users are the roles of a deployment, and ``admin``."""
    prefix = f"t{uuid4().hex[:8]}"
    names = ["admin", *(f"{prefix}-{each}" for each in ROLES)]
    passwords = {each: uuid4().hex for each in names}
    authority = Authority(folder / "certificates")
    scram, mutual = free_port(), free_port()
    keys = authority.issue("broker").both

    def further(broker: Broker) -> str:
        return _FURTHER.format(
            port=broker.port,
            inside=broker.inside,
            controller=broker.controller,
            scram=scram,
            mutual=mutual,
            scram_login=f"{_LOGIN}.scram.ScramLoginModule",
            plain_login=f"{_LOGIN}.plain.PlainLoginModule",
            plain=" ".join(f'user_{n}="{p}"' for n, p in passwords.items()),
            keys=keys,
            trusted=authority.cafile,
        )

    users = [f"SCRAM-SHA-512=[name={n},password={p}]" for n, p in passwords.items()]
    try:
        with kafka_cluster(folder / "one", further=further, users=users) as cluster:
            yield Secured(cluster, authority, scram, mutual, prefix, passwords)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
