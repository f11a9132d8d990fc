"""The number that the advisory lock of something named goes by."""

from hashlib import blake2b


def lock_key(what: str) -> int:
    """Return four bytes of a hash of the name, the second key of a lock of two.

    The first is its own for each kind of lock, so names of two kinds never meet. Two
    names of one kind that meet would only take turns.
    """
    digest = blake2b(what.encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big", signed=True)
