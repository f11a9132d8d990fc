"""The one answer to whoever may not."""


class Unauthorized(Exception):  # noqa: N818  a word of the contract
    """No key, a bad key, or one that does not cover this; never a 403 (HC 1.11)."""
