"""A plain HTTP client for tests: nothing followed, nothing remembered, nothing hidden."""

import base64
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from webex_oauth.emulator import Emulator, Integration

FORM = "application/x-www-form-urlencoded"
_TIMEOUT_SECONDS = 5


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
    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._address = urlsplit(emulator.origin).netloc

    def send(
        self,
        method: str,
        target: str,
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> WireAnswer:
        connection = http.client.HTTPConnection(self._address, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request(method, target, body, dict(headers or {}))
            answer = connection.getresponse()
            return WireAnswer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, target: str, token: str = "", **headers: str) -> WireAnswer:
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return self.send("GET", target.removeprefix(self._emulator.origin), headers=headers)

    def post(self, target: str, fields: Mapping[str, str], **headers: str) -> WireAnswer:
        return self.send("POST", target, urlencode(fields), {"Content-Type": FORM, **headers})

    def authorize(self, fields: Mapping[str, str] | None = None, **headers: str) -> WireAnswer:
        return self.get(f"/v1/authorize?{urlencode(fields or self.request_fields())}", **headers)

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
