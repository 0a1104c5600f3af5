"""A tool that people sign in to: `python command_line.py login | token | status | logout`."""

import sys
import time

from webex_oauth import Grant, GrantNotFound, Integration, ReauthRequired


def login(webex: Integration) -> None:
    print("Signed in as", webex.sign_in.with_browser().email)


def status(grant: Grant) -> None:
    days = ((grant.ends_at or 0) - time.time()) / 86400
    print(f"{grant.email}: {grant.status}, {days:.0f} days, {' '.join(sorted(grant.scopes))}")


def main(command: str) -> None:
    with Integration() as webex:
        match command:
            case "login":
                login(webex)
            case "token":
                print(webex.grants.one().access_token().reveal())
            case "status":
                status(webex.grants.one())
            case "logout":
                webex.grants.one().revoke()


try:
    main(sys.argv[1])
except (GrantNotFound, ReauthRequired) as error:
    sys.exit(f"{error}\nrun: tool login")
