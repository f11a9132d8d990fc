"""The one error of settings."""


class SettingsUnusable(Exception):  # noqa: N818  says what they are
    """A setting cannot be used; ``str()`` names it and never shows its value."""
