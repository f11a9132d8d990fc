"""What a key says its bearer may do."""

import msgspec


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """The claims of one key (HC 4.2); the narrowest decides (HC 4.3).

    ``peer`` and ``session`` never come without ``workspace``, unless ``admin``.
    """

    admin: bool = False
    workspace: str | None = None
    peer: str | None = None
    session: str | None = None
