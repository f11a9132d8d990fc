"""What settings make of the contract's limits and defaults, and of what is fed."""

from typing import Final

from commands.ports import Limits
from infra.delivery import FeedLimits
from infra.settings import Settings

_EVENTS_A_KEY: Final = 16
"""Looked at in a turn, so that there are keys enough to be worked on at once."""


def limits_of(settings: Settings) -> Limits:
    """Return the limits of this deployment, and the configuration below all others."""
    return Limits(
        observers=settings.session_observers_limit,
        message_size=settings.max_message_size,
        file_size=settings.max_file_size,
        dreams=settings.dream_enabled,
        webhooks=settings.webhook_max_workspace_limit,
        instructions=settings.deriver_max_custom_instructions_tokens,
        signs_webhooks=settings.webhook_secret is not None,
        configuration={
            "reasoning": {"enabled": settings.deriver_enabled},
            "summary": {
                "enabled": settings.summary_enabled,
                "messages_per_short_summary": (
                    settings.summary_messages_per_short_summary
                ),
                "messages_per_long_summary": (
                    settings.summary_messages_per_long_summary
                ),
            },
        },
    )


def feed_limits_of(settings: Settings) -> FeedLimits:
    """Return how much each processor of this process takes on."""
    keys = settings.deriver_workers
    return FeedLimits(page=max(128, _EVENTS_A_KEY * keys), keys_at_once=keys)
