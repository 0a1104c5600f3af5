"""The composition root: settings become an integration at work; only here adapters are chosen."""

from webex_oauth.integration.opening import Integration, open_integration
from webex_oauth.integration.shared_clock import SharedClock
from webex_oauth.integration.store_urls import rows_at

__all__ = ["Integration", "SharedClock", "open_integration", "rows_at"]
