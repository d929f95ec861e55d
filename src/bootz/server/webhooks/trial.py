"""One message of no meaning, sent now: whether a webhook works."""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bootz.config.site import SiteConfig
from bootz.server.operations.webhooks import Webhook
from bootz.server.webhooks.delivery import Deliverer
from bootz.server.webhooks.envelope import source_of, trial_envelope


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it; ``status`` is 0 where no answer came, ``reason`` empty where it arrived."""

    webhook: str
    delivered: bool
    status: int
    reason: str
    detail: str


def try_webhook(config: SiteConfig, root: Path | None, webhook: Webhook, now: datetime) -> Trial:
    """Send a message of the type ``bootz.test`` and wait for the answer. Blocks.

    Raises:
        ConfigError: the settings do not hold.
    """
    message_id = f"msg_test_{secrets.token_hex(8)}"
    body = trial_envelope(message_id, source_of(config.organization), now)
    deliverer = Deliverer(config.webhooks, root)
    answer = asyncio.run(deliverer.post(webhook.url, webhook.secret, message_id, body, now))
    error = answer.error
    return Trial(
        webhook.name,
        error is None,
        answer.status,
        "" if error is None else error.reason,
        "" if error is None else error.detail,
    )
