"""This project's client at npm's oidc-provider."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from peers.oidc_provider import OidcProvider, running_oidc_provider
from peers.registration import settings_of
from peers.signing_in import sign_in, signed_in

from webex_oauth.integration import open_integration

pytestmark = [pytest.mark.anyio, pytest.mark.check("I10")]


@pytest.fixture(scope="module")
def provider() -> Iterator[OidcProvider]:
    with running_oidc_provider() as provider:
        yield provider


async def test_a_person_signs_in_through_its_forms(provider: OidcProvider, tmp_path: Path) -> None:
    settings = settings_of(provider.registration, "memory:", tmp_path)
    async with open_integration(settings) as integration:
        key = await signed_in(integration, provider.allow)
        token = await integration.vault.access_token(key)

        assert provider.takes(token.reveal())


async def test_its_refresh_tokens_are_spent_one_after_the_other(
    provider: OidcProvider, tmp_path: Path
) -> None:
    settings = settings_of(provider.registration, "memory:", tmp_path)
    async with open_integration(settings) as integration:
        key = await signed_in(integration, provider.allow)
        before = provider.refresh_count()
        tokens = [await integration.vault.access_token(key)]
        for _ in range(3):
            tokens.append(await integration.vault.refreshed(key, tokens[-1]))
        grant = await integration.vault.grant(key)

    assert len(set(tokens)) == 4
    assert provider.refresh_count() - before == 3
    assert grant.rotates is True


@pytest.mark.check("B12")
async def test_after_a_sign_out_it_takes_no_token_any_more(
    provider: OidcProvider, tmp_path: Path
) -> None:
    settings = settings_of(provider.registration, "memory:", tmp_path)
    async with open_integration(settings) as integration:
        session_id = await sign_in(integration, provider.allow)
        session = await integration.sessions.find(session_id)
        assert session is not None
        token = await integration.vault.access_token(session.grant_key)
        was_taken = provider.takes(token.reveal())
        await integration.sessions.sign_out(session_id)

        assert was_taken
        assert not provider.takes(token.reveal())
