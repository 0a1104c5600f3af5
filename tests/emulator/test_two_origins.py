"""The front door and the broker are two origins; links keep the name that the client used."""

from urllib.parse import urlsplit

import pytest
import requests
from emulator.conftest import token_of
from emulator.wire import Wire
from waiting import LIMIT_SECONDS

from webex_oauth.emulator import Emulator, Origins, RunningEmulator
from webex_oauth.emulator.origins import Origin


@pytest.mark.parametrize("name", ["authorize", "logout"])
def test_the_front_door_hands_the_query_on_as_it_came(
    emulator: Emulator, wire: Wire, name: str
) -> None:
    answer = wire.get(f"/v1/{name}?state=%2f+a&state=b&x")

    assert answer.status == 302
    target = f"{emulator.broker_origin}/idb/oauth2/v1/{name}"
    assert answer.location == f"{target}?state=%2f+a&state=b&x"
    assert wire.get(f"/v1/{name}").location == target


def test_each_origin_names_the_other_for_what_is_there(
    emulator: Emulator, wire: Wire, token: str
) -> None:
    front_door, broker = emulator.origin, emulator.broker_origin
    for name in ("people/me", "rooms", "access_token", "revoke", "authorize", "logout"):
        answer = wire.get(f"{broker}/v1/{name}", token)
        assert answer.status == 404
        message = f"/v1/{name} is not here but at the front door, {front_door}"
        assert answer.json["message"] == message
    for name in ("authorize", "access_token", "revoke", "tokens/me", "logout"):
        answer = wire.get(f"{front_door}/idb/oauth2/v1/{name}")
        assert answer.status == 404
        assert answer.json["message"].endswith(f"at the identity broker, {broker}")


def test_the_brokers_bare_address_leads_to_the_front_page(emulator: Emulator, wire: Wire) -> None:
    assert wire.get(f"{emulator.broker_origin}/").location == f"{emulator.origin}/"
    assert emulator.broker_origin in wire.get("/").text


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("localhost", "localhost"),
        ("localhost", "127.0.0.1"),
        ("127.0.0.1", "localhost"),
        ("::1", "[::1]"),
    ],
)
def test_links_keep_the_name_of_loopback_that_was_asked(host: str, name: str) -> None:
    with RunningEmulator(host=host) as local:
        front_door, broker = renamed(local.origin, name), renamed(local.broker_origin, name)
        token = token_of(local.emulator, "mira@acme.example")

        rooms = get(f"{front_door}/v1/rooms?max=1", token)
        me = get(f"{front_door}/v1/people/me", token).json()
        handed_over = get(f"{front_door}/v1/authorize")
        led_on = get(f"{broker}/")

    assert rooms.links["next"]["url"].startswith(f"{front_door}/v1/rooms?")
    assert me["avatar"].startswith(f"{front_door}/avatars/")
    assert handed_over.headers["location"].startswith(f"{broker}/idb/")
    assert led_on.headers["location"] == f"{front_door}/"


@pytest.mark.parametrize(
    ("scheme", "host", "asked", "beside"),
    [
        ("http", "webex.test:8090", "http://webex.test:8090", "http://webex.test:8091"),
        ("http", "webex.test:18090", "http://webex.test:18090", "http://webex.test:8091"),
        ("https", "webex.test", "https://webex.test", "https://webex.test:8091"),
        ("http", "[::1]:8090", "http://[::1]:8090", "http://[::1]:8091"),
        ("http", "webex.test:80", "http://webex.test", "http://webex.test:8091"),
        ("http", "", "http://a:8090", "http://b:8091"),
        ("http", "a/b", "http://a:8090", "http://b:8091"),
        ("http", 'a"><script>', "http://a:8090", "http://b:8091"),
    ],
)
def test_a_name_that_is_none_is_not_repeated(
    scheme: str, host: str, asked: str, beside: str
) -> None:
    scope = {"type": "http", "scheme": scheme, "headers": [(b"host", host.encode())]}

    assert Origin("http://a:8090").as_asked(scope) == asked
    assert Origin("http://b:8091").beside(scope) == beside


def test_fixed_origins_do_not_follow() -> None:
    scope = {"type": "http", "scheme": "http", "headers": [(b"host", b"evil.example")]}
    origins = Origins.at("https://webex.test", "https://broker.test", are_fixed=True)

    assert origins.front_door.as_asked(scope) == "https://webex.test"
    assert origins.broker.beside(scope) == "https://broker.test"


def renamed(origin: str, name: str) -> str:
    return f"http://{name}:{urlsplit(origin).port}"


def get(url: str, token: str = "") -> requests.Response:
    headers = {"authorization": f"Bearer {token}"}
    return requests.get(url, headers=headers, allow_redirects=False, timeout=LIMIT_SECONDS)
