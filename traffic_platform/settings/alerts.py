"""Settings of alerts."""

from __future__ import annotations

from typing import Literal

from traffic_platform.settings.subject import SecretHttpUrl, SubjectSettings


class AlertSettings(SubjectSettings):
    """Alerts

    [Alerts](alerts.md) describes the messages.
    """

    alert_webhook_url: SecretHttpUrl | None = None
    """URL that gets a message when a check or a run fails, and when it passes again. Not set:
    nothing is sent."""
    alert_format: Literal["json", "slack"] = "json"
    """Form of the message: every field as JSON, or a text for Slack's incoming webhooks."""
