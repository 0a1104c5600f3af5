"""Webex's SDKs in a program that runs for weeks; Enter asks again, q ends it."""

from webex_oauth import Integration
from webex_oauth.sdks import webexpythonsdk, wxc_sdk

with Integration() as webex:
    grant = webex.grants.one()
    teams = webexpythonsdk(grant)  # a webexpythonsdk.WebexAPI
    calling = wxc_sdk(grant)  # a wxc_sdk.WebexSimpleApi
    while True:
        print(teams.people.me().displayName, calling.people.me().display_name, flush=True)
        if input() == "q":
            break
