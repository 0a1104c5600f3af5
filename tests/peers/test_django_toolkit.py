"""This project's client at django-oauth-toolkit."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from peers.django_toolkit import DjangoToolkit, running_django_toolkit
from peers.registration import settings_of
from peers.signing_in import sign_in, signed_in

from webex_oauth.errors import AnswerLost
from webex_oauth.integration import open_integration
from webex_oauth.oauth.http import HttpRequest, HttpResponse, read_json_object
from webex_oauth.ports import Limits, Transport
from webex_oauth.transport import HttpTransport

pytestmark = [pytest.mark.anyio, pytest.mark.check("I10")]


@dataclass(slots=True)
class LosingTransport:
    """Lose the first answer to a refresh on its way back."""

    transport: Transport
    lost: list[HttpResponse] = field(default_factory=list)

    async def send(self, request: HttpRequest, limits: Limits) -> HttpResponse:
        """Send, and keep the answer to itself once."""
        answer = await self.transport.send(request, limits)
        if b"grant_type=refresh_token" in request.body and not self.lost:
            self.lost.append(answer)
            raise AnswerLost("the connection broke")
        return answer


@pytest.fixture(scope="module")
def toolkit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DjangoToolkit]:
    with running_django_toolkit(tmp_path_factory.mktemp("toolkit")) as toolkit:
        yield toolkit


async def test_a_person_signs_in_through_its_forms_and_the_tokens_are_renewed(
    toolkit: DjangoToolkit, tmp_path: Path
) -> None:
    async with open_integration(settings_of(toolkit.registration, "memory:", tmp_path)) as ours:
        key = await signed_in(ours, toolkit.allow)
        tokens = [await ours.vault.access_token(key)]
        for _ in range(2):
            tokens.append(await ours.vault.refreshed(key, tokens[-1]))
        grant = await ours.vault.grant(key)

    assert len(set(tokens)) == 3
    assert toolkit.takes(tokens[-1].reveal())
    assert grant.rotates is True


@pytest.mark.check("B10")
async def test_an_answer_that_was_lost_comes_again(toolkit: DjangoToolkit, tmp_path: Path) -> None:
    settings = settings_of(toolkit.registration, "memory:", tmp_path)
    async with HttpTransport() as http:
        losing = LosingTransport(http)
        async with open_integration(settings, transport=losing) as ours:
            key = await signed_in(ours, toolkit.allow)
            before = await ours.vault.access_token(key)
            token = await ours.vault.refreshed(key, before)
            grant = await ours.vault.grant(key)

    lost = read_json_object(losing.lost[0])
    assert token.reveal() == lost["access_token"]
    assert grant.tokens.refresh_token is not None
    assert grant.tokens.refresh_token.reveal() == lost["refresh_token"]
    assert toolkit.takes(token.reveal())


@pytest.mark.check("B12")
async def test_after_a_sign_out_it_takes_no_token_any_more(
    toolkit: DjangoToolkit, tmp_path: Path
) -> None:
    async with open_integration(settings_of(toolkit.registration, "memory:", tmp_path)) as ours:
        session_id = await sign_in(ours, toolkit.allow)
        session = await ours.sessions.find(session_id)
        assert session is not None
        token = await ours.vault.access_token(session.grant_key)
        was_taken = toolkit.takes(token.reveal())
        await ours.sessions.sign_out(session_id)

        assert was_taken
        assert not toolkit.takes(token.reveal())
