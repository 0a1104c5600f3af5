"""Use an integration and never close it."""

from pathlib import Path

from webex_oauth import Integration, Secret

webex = Integration()
access, refresh = Path("tokens").read_text().split()
print(
    webex.grants.adopt(Secret(access), Secret(refresh), scopes=webex.settings.scopes).display_name
)
