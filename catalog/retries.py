"""stamina's retries, logged to the site's log, which stamina would bypass if structlog is installed."""

import logging

from stamina import RetryingCaller, retry_context
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

__all__ = ["RetryingCaller", "retry_context"]

logger = logging.getLogger(__name__)


def _log(details: RetryDetails) -> None:
    text = "attempt %d failed; the next one is in %.1f s: %s"
    cause = details.caused_by
    logger.warning(text, details.retry_num, details.wait_for, str(cause) or type(cause).__name__)


set_on_retry_hooks([_log])
