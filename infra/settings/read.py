"""Read the settings, or say in one line what is wrong with them."""

import re
from collections.abc import Sequence

from pydantic import ValidationError
from pydantic_settings import SettingsError

from infra.settings.settings import Settings
from infra.settings.unusable import SettingsUnusable


def read_settings() -> Settings:
    """Read environment, ``.env`` and ``config.toml`` of the working directory.

    Raises:
        SettingsUnusable
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise SettingsUnusable(_reason(first["loc"], first["msg"])) from None
    except SettingsError as error:
        found = re.search(r'field "(\w+)"', str(error))
        name = found[1].upper() if found else "?"
        raise SettingsUnusable(f"the setting {name} is not JSON") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsUnusable(f".env cannot be read: {error}") from None


def _reason(at: Sequence[int | str], message: str) -> str:
    """Name the setting, or let a rule about several speak for itself."""
    said = message.removeprefix("Value error, ")
    name = "__".join(str(part) for part in at if isinstance(part, str)).upper()
    return f"the setting {name}: {said}" if name else said
