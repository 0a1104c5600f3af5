"""The people API."""

import pytest
from emulator.conftest import find_person, token_of
from emulator.wire import Wire

from webex_oauth.emulator import Emulator, Person
from webex_oauth.emulator.endpoints.wire import FORBIDDEN, INVALID_TOKEN
from webex_oauth.emulator.world import webex_id


def test_me_is_the_person_whose_token_it_is(wire: Wire, token: str, mira: Person) -> None:
    me = wire.get("/v1/people/me?callingData=true", token).json

    assert me["id"] == mira.id
    assert me["emails"] == ["mira@acme.example"]
    assert me["displayName"] == "Mira Ito"
    assert me["type"] == "person"
    assert me["phoneNumbers"] == [{"type": "work", "value": "+49 30 5550 0142", "primary": True}]


def test_what_a_person_does_not_have_is_left_out(emulator: Emulator, wire: Wire) -> None:
    token = token_of(emulator, "amara@acme.example")

    me = wire.get("/v1/people/me", token).json

    assert "avatar" not in me
    assert me["phoneNumbers"] == []
    assert None not in me.values()


def test_a_picture_is_a_whole_png_at_the_emulator(
    emulator: Emulator, wire: Wire, token: str
) -> None:
    url = wire.get("/v1/people/me", token).json["avatar"]

    picture = wire.get(url)

    assert url.startswith(f"{emulator.origin}/avatars/")
    assert picture.headers["Content-Type"] == "image/png"
    assert picture.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert picture.body.startswith(b"\x89PNG\r\n\x1a\n")
    assert picture.body.endswith(b"IEND\xaeB`\x82")
    jonas = find_person(emulator, "jonas@acme.example")
    assert wire.get(f"/avatars/{jonas.uuid}.png").status == 404
    assert wire.get("/avatars/unknown.png").status == 404


@pytest.mark.parametrize("form", ["id", "uuid"])
def test_a_colleague_is_found_by_id_or_uuid(
    emulator: Emulator, wire: Wire, token: str, form: str
) -> None:
    colleague = find_person(emulator, "colleague1@acme.example")

    answer = wire.get(f"/v1/people/{getattr(colleague, form)}", token)

    assert answer.json["displayName"] == colleague.display_name


def test_people_are_found_by_email_by_the_beginning_of_a_name_and_by_ids(
    wire: Wire, token: str, mira: Person
) -> None:
    unknown = webex_id("PEOPLE", "00000000-0000-4000-8000-000000000000")
    by_email = wire.get("/v1/people?email=Mira@acme.example", token).json
    by_name = wire.get("/v1/people?displayName=mira", token).json
    by_id = wire.get(f"/v1/people?id={mira.id},{unknown}", token).json

    assert by_email == by_name == {**by_id, "notFoundIds": None}
    assert [one["id"] for one in by_id["items"]] == [mira.id]
    assert by_id["notFoundIds"] == [unknown]


def test_a_search_for_people_comes_in_pages(wire: Wire, token: str) -> None:
    first = wire.get("/v1/people?displayName=aiko&max=15", token)
    second = wire.get(str(first.next_url), token)

    assert (len(first.json["items"]), len(second.json["items"])) == (15, 5)
    assert second.next_url is None
    assert {one["type"] for one in first.json["items"]} == {"person"}
    [rover] = wire.get("/v1/people?displayName=rover", token).json["items"]
    assert rover["type"] == "bot"


@pytest.mark.parametrize("name", ["locationId", "roles", "orgId"])
def test_what_people_cannot_be_searched_by_here_is_named(wire: Wire, token: str, name: str) -> None:
    answer = wire.get(f"/v1/people?displayName=aiko&{name}=a", token)

    assert answer.status == 501
    assert name in answer.headers["Emulator-Lacks"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "Email, displayName, or id list should be specified."),
        ("max=5", "Email, displayName, or id list should be specified."),
        ("id=a", "Expect base64 ID or UUID."),
        ("id=" + ",".join(["00000000-0000-4000-8000-000000000000"] * 86), "at most 85"),
        ("email=a&max=0", "`int` >= 1"),
    ],
)
def test_a_search_without_sense_is_400(wire: Wire, token: str, query: str, message: str) -> None:
    answer = wire.get(f"/v1/people?{query}", token)

    assert answer.status == 400
    assert message in answer.json["message"]


def test_a_malformed_id_is_400_and_an_unknown_one_404(wire: Wire, token: str) -> None:
    malformed = wire.get("/v1/people/someone", token)
    unknown_id = webex_id("PEOPLE", "00000000-0000-4000-8000-000000000000")
    unknown = wire.get(f"/v1/people/{unknown_id}", token)

    assert (malformed.status, malformed.json["message"]) == (400, "Expect base64 ID or UUID.")
    assert (unknown.status, unknown.json["message"]) == (404, "Person not found")


@pytest.mark.parametrize("authorization", ["", "Bearer unknown", "Basic YTpi", "token"])
def test_without_a_good_token_the_answer_is_401_with_a_challenge_if_told_so(
    emulator: Emulator, wire: Wire, authorization: str
) -> None:
    answer = wire.get("/v1/people/me", Authorization=authorization)

    assert answer.status == 401
    assert answer.json["message"] == INVALID_TOKEN
    assert "WWW-Authenticate" not in answer.headers
    emulator.change_options(is_www_authenticate_sent=True)
    assert wire.get("/v1/people/me").headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(("scope", "status"), [("spark:rooms_read", 403), ("spark:all", 200)])
def test_a_scope_is_needed_and_the_one_for_all_is_enough(
    emulator: Emulator, wire: Wire, mira: Person, scope: str, status: int
) -> None:
    tokens = emulator.grant_without_consent(mira, scopes=(scope,))

    answer = wire.get("/v1/people/me", tokens.access_token.value)

    assert answer.status == status
    assert (answer.json.get("message") == FORBIDDEN) == (status == 403)
