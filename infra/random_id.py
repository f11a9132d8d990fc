"""Makes the public ids of what clients create."""

import secrets

from domain.names import encode_id


def random_id() -> str:
    """Return 126 random bits as 21 characters over ``A-Za-z0-9_-`` (HC 1.2)."""
    return encode_id(secrets.randbits(126))
