"""The lasting identity of a processor's command."""

from hashlib import sha256

from commands.ports import CommandIdentity
from domain.names import command_id


def processor_command(tenant: str, name: str) -> CommandIdentity:
    """Return the identity a name stands for within a tenant, kept for ever.

    A processor's name is ``<processor>:<generation>:<first>-<last position>``
    (architecture section 2).
    """
    return CommandIdentity(
        command_id(tenant, name), sha256(name.encode()).digest(), forever=True
    )
