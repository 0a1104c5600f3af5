"""Webex's community SDK for Python works against the emulator unchanged."""

import pytest
from webexpythonsdk import ApiError, WebexAPI

from webex_oauth.emulator import Emulator, Person


def sdk(emulator: Emulator, access_token: str) -> WebexAPI:
    return WebexAPI(access_token, base_url=f"{emulator.origin}/v1/")


def test_the_sdk_learns_who_it_is(emulator: Emulator, token: str, mira: Person) -> None:
    me = sdk(emulator, token).people.me()

    assert (me.id, me.displayName, me.emails) == (mira.id, "Mira Ito", ["mira@acme.example"])


@pytest.mark.parametrize("maximum", [None, 100, 7])
def test_the_sdk_lists_all_rooms_through_all_pages(
    emulator: Emulator, token: str, mira: Person, maximum: int | None
) -> None:
    rooms = list(sdk(emulator, token).rooms.list(max=maximum))

    assert [room.id for room in rooms] == [room.id for room in emulator.world.rooms(mira)]


def test_the_sdk_exchanges_a_code(emulator: Emulator, code: str) -> None:
    integration = emulator.integration

    tokens = sdk(emulator, "unused").access_tokens.get(
        integration.client_id, integration.client_secret, code, integration.redirect_uris[0]
    )

    assert tokens.expires_in == 1_209_599
    assert sdk(emulator, tokens.access_token).people.me().displayName == "Mira Ito"


def test_the_sdk_refreshes(emulator: Emulator, mira: Person) -> None:
    integration = emulator.integration
    granted = emulator.grant_without_consent(mira)
    assert granted.refresh_token

    tokens = sdk(emulator, "unused").access_tokens.refresh(
        integration.client_id, integration.client_secret, granted.refresh_token.value
    )

    assert tokens.refresh_token == granted.refresh_token.value
    assert sdk(emulator, tokens.access_token).people.me().id == mira.id


def test_the_sdk_writes_and_lists_messages_and_finds_people(emulator: Emulator) -> None:
    luca = emulator.world.person_by_email("luca@acme.example")
    assert luca
    token = emulator.grant_without_consent(luca, scopes=("spark:all", "spark:kms")).access_token
    api = sdk(emulator, token.value)
    [mira] = api.people.list(email="mira@acme.example")

    written = api.messages.create(toPersonId=mira.id, markdown="Hello *Mira*")

    assert [one.text for one in api.messages.list(written.roomId, max=1)] == ["Hello Mira"]
    members = api.memberships.list(written.roomId)
    assert {one.personEmail for one in members} == {"luca@acme.example", "mira@acme.example"}
    api.messages.delete(written.id)
    assert list(api.messages.list(written.roomId)) == []


def test_the_sdk_reads_our_errors(emulator: Emulator) -> None:
    with pytest.raises(ApiError) as refusal:
        sdk(emulator, "wrong").people.me()

    assert refusal.value.status_code == 401
    assert refusal.value.message.startswith("The request requires a valid access token")
