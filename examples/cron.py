"""A script for cron: `webex-oauth login` once, then `python cron.py [EMAIL]`."""

import sys

from webex_oauth import GrantNotFound, Integration, ReauthRequired, TemporaryError
from webex_oauth.webex import rooms

try:
    with Integration() as webex:
        grant = webex.grants.find(email=sys.argv[1]) if sys.argv[1:] else webex.grants.one()
        for room in grant.items(rooms.listing()) if grant else ():
            print(room.title)
except (GrantNotFound, ReauthRequired) as error:
    sys.exit(str(error))
except TemporaryError as error:
    print(error, file=sys.stderr)
    sys.exit(75)  # EX_TEMPFAIL: cron's next run tries again
