"""Names a text without telling it: a hash under a key of its workspace.

A plain hash of a short text can be guessed. The key is derived from the workspace's
own data key, so destroying that makes every fingerprint meaningless.
"""

from collections.abc import Sequence
from hashlib import blake2b

from domain.event import EVERYONE, Subject
from infra.postgres.data_keys import DataKeys


class KeyedFingerprint:
    """Answers with one fingerprint for each text: 32 hexadecimal digits."""

    def __init__(self, keys: DataKeys) -> None:
        self._keys = keys

    async def __call__(self, tenant: str, texts: Sequence[str]) -> list[str]:
        whose = Subject(tenant, None, EVERYONE)
        found = await self._keys.for_sealing([whose])
        key = blake2b(b"fingerprint", key=found[whose].secret, digest_size=32).digest()
        return [
            blake2b(text.encode(), key=key, digest_size=16).hexdigest()
            for text in texts
        ]
