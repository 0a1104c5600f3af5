"""A plain HTTP client for tests: nothing followed, nothing remembered, nothing hidden."""

import base64
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from waiting import LIMIT_SECONDS

from webex_oauth.emulator import Emulator, Integration

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class WireAnswer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def location(self) -> str:
        return str(self.headers["Location"])

    @property
    def callback(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.location).query, strict_parsing=True))

    @property
    def next_url(self) -> str | None:
        link = self.headers["Link"]
        return None if link is None else link[1 : link.index(">")]


class Wire:
    """Ask the front door, or the broker for what begins with its origin or its path `/idb/`."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def send(
        self,
        method: str,
        target: str,
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> WireAnswer:
        origin = self.origin_of(target)
        connection = http.client.HTTPConnection(urlsplit(origin).netloc, timeout=LIMIT_SECONDS)
        try:
            connection.request(method, target.removeprefix(origin), body, dict(headers or {}))
            answer = connection.getresponse()
            return WireAnswer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def origin_of(self, target: str) -> str:
        broker = self._emulator.broker_origin
        return broker if target.startswith((broker, "/idb/")) else self._emulator.origin

    def get(self, target: str, token: str = "", **headers: str) -> WireAnswer:
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return self.send("GET", target, headers=headers)

    def post(self, target: str, fields: Mapping[str, str], **headers: str) -> WireAnswer:
        return self.send("POST", target, urlencode(fields), {"Content-Type": FORM, **headers})

    def authorize(self, fields: Mapping[str, str] | None = None, **headers: str) -> WireAnswer:
        """Ask at the front door, and follow it to the broker."""
        query = urlencode(self.request_fields() if fields is None else fields)
        return self.get(self.get(f"/v1/authorize?{query}").location, **headers)

    def request_fields(self, **changes: str) -> dict[str, str]:
        integration = self._emulator.integration
        return {
            "client_id": integration.client_id,
            "response_type": "code",
            "redirect_uri": integration.redirect_uris[0],
            "scope": "spark:people_read spark:rooms_read spark:kms",
            "state": "a state",
            **changes,
        }

    def token_fields(self, grant_type: str, **fields: str) -> dict[str, str]:
        integration = self._emulator.integration
        return {
            "grant_type": grant_type,
            "client_id": integration.client_id,
            "client_secret": integration.client_secret,
            **fields,
        }

    def code_fields(self, code: str, **changes: str) -> dict[str, str]:
        redirect_uri = self._emulator.integration.redirect_uris[0]
        return self.token_fields(
            "authorization_code", code=code, redirect_uri=redirect_uri, **changes
        )


def basic(integration: Integration, *, secret: str = "") -> str:
    credentials = f"{integration.client_id}:{secret or integration.client_secret}"
    return "Basic " + base64.b64encode(credentials.encode()).decode()
