"""Everything that can be configured, read once and judged as a whole.

The sample's names work as they are: AUTH_INIT_URL, CLIENT_SECRET, STATE, PORT, DEBUG. The rest
is WEBEX_...; the client secret may come from a file, named by CLIENT_SECRET_FILE.
"""

from webex_oauth.settings.names import NAMES
from webex_oauth.settings.reader import DEFAULT_PORT
from webex_oauth.settings.values import Settings, changed, judged_settings, port_mistakes
from webex_oauth.settings.variables import Sources, read_sources

__all__ = [
    "DEFAULT_PORT",
    "NAMES",
    "Settings",
    "Sources",
    "changed",
    "judged_settings",
    "port_mistakes",
    "read_sources",
]
