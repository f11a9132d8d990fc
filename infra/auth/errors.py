"""What goes wrong with keys: one answer to whoever may not, one line at the start."""


class Unauthorized(Exception):  # noqa: N818  a word of the contract
    """No key, a bad key, or one that does not cover this; never a 403 (HC 1.11)."""


class SecretUnusable(Exception):  # noqa: N818  says what it is
    """Keys are wanted, and the secret to sign them with is not one."""
