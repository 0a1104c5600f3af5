"""The client secret: in the body or in Basic, as Webex takes it, whatever its characters."""

from dataclasses import replace
from pathlib import Path

import pytest
from canary import Canaries
from journeys.acts import TOKEN_PATH
from scene import Scene

from webex_oauth.emulator import digest
from webex_oauth.oauth.http import HttpRequest, HttpResponse
from webex_oauth.ports import Limits, Transport

SPECIAL_SECRETS = ("emulator-a:b%c+d/e f&g=h", "emulator-é:ü %20+%2B/?#\\'\"", "emulator-::%%++//")


@pytest.mark.check("B01")
@pytest.mark.parametrize("secret", SPECIAL_SECRETS, ids=ascii)
def test_a_secret_with_special_characters_reaches_webex_whole(tmp_path: Path, secret: str) -> None:
    canaries = Canaries()
    canaries.plant("client_secret", secret)
    with Scene(tmp_path, variables={"CLIENT_SECRET": secret}, canaries=canaries) as scene:
        registered = scene.emulator.integrations.find(scene.settings.client.client_id)
        assert registered
        scene.emulator.integrations.register(replace(registered, client_secret=secret))

        page = scene.signed_in().sign_out()

        (exchange,) = scene.emulator.journal.matching("POST", TOKEN_PATH)
        revocations = scene.emulator.journal.matching("POST", "*/revoke")
    assert exchange.form_by_name["client_secret"] == digest(secret)
    assert (exchange.authorization, exchange.status) == ("", 200)
    assert "client_authenticated:form" in exchange.notes
    assert ["client_authenticated:basic" in entry.notes for entry in revocations] == [True, True]
    assert "Webex has confirmed" in page.text
    assert canaries.leaks() == []


class NotingTransport:
    """Note the content type of every form that is sent."""

    def __init__(self, inner: Transport, content_types: set[str]) -> None:
        self._inner = inner
        self._content_types = content_types

    async def send(self, request: HttpRequest, limits: Limits) -> HttpResponse:
        if request.method == "POST":
            self._content_types.add(request.headers["content-type"])
        return await self._inner.send(request, limits)


@pytest.mark.check("B01")
def test_forms_are_sent_with_exactly_the_content_type_of_the_specification(tmp_path: Path) -> None:
    seen: set[str] = set()

    def noting(inner: Transport) -> Transport:
        return NotingTransport(inner, seen)

    with Scene(tmp_path, around_transport=noting) as scene:
        scene.signed_in().sign_out()

    assert seen == {"application/x-www-form-urlencoded"}
