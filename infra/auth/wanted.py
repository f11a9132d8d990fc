"""The keyring, where the settings want keys."""

from infra.auth.errors import SecretUnusable
from infra.auth.keyring import Keyring
from infra.settings import Settings


def wanted_keyring(settings: Settings) -> Keyring | None:
    """Return what reads and makes keys; None when everybody may come in.

    Raises:
        SecretUnusable: keys are wanted without a secret to sign them with.
    """
    if not settings.auth_use_auth:
        return None
    if settings.auth_jwt_secret is None:
        raise SecretUnusable("AUTH_USE_AUTH is on, so AUTH_JWT_SECRET must be set")
    return Keyring(settings.auth_jwt_secret.get_secret_value())
