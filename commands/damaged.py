"""What is stored may be damaged: that is no refusal, and no lost connection."""


class Damaged(Exception):  # noqa: N818  says what was met
    """What is stored cannot be read."""
