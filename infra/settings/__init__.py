"""Settings: read once at the start, passed on as values; nothing else reads them.

Environment, then ``.env``, then ``config.toml``, then defaults (RS 12). Names are
``{SECTION}_{KEY}``, nested with ``__``; fields are the same in small letters.
"""

from infra.settings.read import read_settings
from infra.settings.settings import Settings
from infra.settings.unusable import SettingsUnusable

__all__ = ["Settings", "SettingsUnusable", "read_settings"]
