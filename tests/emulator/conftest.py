"""One running emulator for all tests of it, made new before each."""

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from emulator.wire import Wire

from webex_oauth.emulator import Emulator, Person, RunningEmulator, Visitor


@pytest.fixture(scope="session")
def running_emulator() -> Iterator[RunningEmulator]:
    with RunningEmulator() as running:
        yield running


@pytest.fixture
def emulator(running_emulator: RunningEmulator) -> Emulator:
    running_emulator.emulator.reset()
    return running_emulator.emulator


@pytest.fixture
def wire(emulator: Emulator) -> Wire:
    return Wire(emulator)


@pytest.fixture
def mira(emulator: Emulator) -> Person:
    return find_person(emulator, "mira@acme.example")


@pytest.fixture
def jonas(emulator: Emulator) -> Person:
    return find_person(emulator, "jonas@acme.example")


@pytest.fixture
def token(emulator: Emulator, mira: Person) -> str:
    return emulator.grant_without_consent(mira).access_token.value


def token_of(emulator: Emulator, email: str) -> str:
    return emulator.grant_without_consent(find_person(emulator, email)).access_token.value


@pytest.fixture
def authorize_url(emulator: Emulator, wire: Wire) -> str:
    return f"{emulator.origin}/v1/authorize?{urlencode(wire.request_fields())}"


@pytest.fixture
def code(authorize_url: str) -> str:
    return code_of(authorize_url)


def code_of(authorize_url: str) -> str:
    callback = Visitor().sign_in(authorize_url, "mira@acme.example")
    return dict(parse_qsl(urlsplit(callback).query))["code"]


def find_person(emulator: Emulator, email: str) -> Person:
    person = emulator.world.person_by_email(email)
    assert person is not None
    return person
