"""An authority of its own for a test: certificates that are right, over, or unknown."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Certificate:
    """Files: a certificate, its key, and both in one (what a broker is given)."""

    certfile: Path
    keyfile: Path
    both: Path


@dataclass
class Authority:
    """Signs certificates; ``cafile`` is what those who trust it are given."""

    folder: Path
    name: str = "authority"
    _key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        made = _begun(self._named, self._named, self._key)
        made = made.add_extension(x509.BasicConstraints(True, None), critical=True)
        self.cafile.write_bytes(_pem(made.sign(self._key, hashes.SHA256())))

    @property
    def cafile(self) -> Path:
        return self.folder / f"{self.name}.pem"

    @property
    def _named(self) -> x509.Name:
        return _name(self.name)

    def issue(
        self,
        name: str,
        *,
        host: str = "127.0.0.1",
        over: bool = False,
        password: str | None = None,
    ) -> Certificate:
        """Make a certificate for a name, good for an address; ``over``: it was."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(host))])
        made = _begun(_name(name), self._named, key, -DAY if over else DAY)
        signed = made.add_extension(subject, critical=False).sign(
            self._key, hashes.SHA256()
        )
        locked = (
            serialization.NoEncryption()
            if password is None
            else serialization.BestAvailableEncryption(password.encode())
        )
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked
        )
        files = [self.folder / f"{name}.{each}" for each in ("crt", "key", "both")]
        for file, content in zip(
            files, (_pem(signed), secret, secret + _pem(signed)), strict=True
        ):
            file.write_bytes(content)
        return Certificate(*files)


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    until: timedelta = DAY,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 2 * DAY)
        .not_valid_after(now + until)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
