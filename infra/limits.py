"""What settings make of the contract's limits and defaults."""

from commands.ports import Limits
from infra.settings import Settings


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
