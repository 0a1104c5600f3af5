"""A grant's token on requests of `requests`, of `httpx` in both kinds, and of its own."""

import asyncio

import httpx
import requests

from webex_oauth import AsyncIntegration, Integration
from webex_oauth.httpx import BearerAuth
from webex_oauth.requests import BearerAuth as RequestsAuth

with Integration() as webex:
    grant, url = webex.grants.one(), f"{webex.settings.platform.api_base_url}people/me"
    print(requests.get(url, auth=RequestsAuth(grant), timeout=30).json()["displayName"])
    print(httpx.get(url, auth=BearerAuth(grant), trust_env=False).json()["displayName"])
    print(grant.request("GET", "people/me").json()["displayName"])


async def main() -> None:
    async with AsyncIntegration() as webex, httpx.AsyncClient(trust_env=False) as client:
        grant = await webex.grants.one()
        print((await client.get(url, auth=BearerAuth(grant))).json()["displayName"])


asyncio.run(main())
