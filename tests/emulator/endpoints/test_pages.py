"""Signing in and out at the broker, walked as a browser would."""

import re
from html import unescape
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from emulator.wire import Wire, WireAnswer

from webex_oauth.emulator import Answer, Emulator, Person, Visitor, VisitRefused
from webex_oauth.emulator.endpoints.pages import COOKIE_PATH

PERSON_PATH = f"{COOKIE_PATH}/authorize/person"
DECISION_PATH = f"{COOKIE_PATH}/authorize/decision"
LOGOUT_PATH = f"{COOKIE_PATH}/logout"
MIRA = "mira@acme.example"


def transaction_in(answer: WireAnswer) -> str:
    form = re.search(r'name="transaction" value="([0-9a-f]+)"', answer.text)
    assert form is not None
    return form[1]


def choose(wire: Wire, person: str = MIRA) -> tuple[str, WireAnswer]:
    transaction = transaction_in(wire.authorize())
    return transaction, wire.post(PERSON_PATH, {"transaction": transaction, "person": person})


def decide(wire: Wire, decision: str) -> WireAnswer:
    transaction, _ = choose(wire)
    return wire.post(DECISION_PATH, {"transaction": transaction, "decision": decision})


def cookie_of(wire: Wire) -> str:
    _, chosen = choose(wire)
    return str(chosen.headers["Set-Cookie"]).split(";", maxsplit=1)[0]


def test_accepting_brings_a_code_and_the_state_unchanged(wire: Wire) -> None:
    answer = decide(wire, "accept")

    assert answer.status == 302
    assert answer.location.startswith("http://localhost:8080/oauth?code=")
    assert answer.callback["state"] == "a state"


def test_declining_brings_access_denied(wire: Wire) -> None:
    assert decide(wire, "decline").callback == {
        "error": "access_denied",
        "error_description": "The resource owner or authorization server denied the request.",
        "state": "a state",
    }


def test_an_accepted_callback_can_be_shown_instead_of_visited(
    emulator: Emulator, wire: Wire
) -> None:
    shown = decide(wire, "show")

    found = re.search(r'href="(http://localhost:8080/oauth\?[^"]+)"', shown.text)
    assert found is not None
    callback = dict(parse_qsl(urlsplit(unescape(found[1])).query))
    assert (shown.status, callback["state"]) == (200, "a state")
    answer = wire.post("/v1/access_token", wire.code_fields(callback["code"]))
    assert emulator.tokens.is_active(answer.json["access_token"])


def test_a_decision_can_be_made_once(wire: Wire) -> None:
    transaction, _ = choose(wire)
    fields = {"transaction": transaction, "decision": "accept"}
    wire.post(DECISION_PATH, fields)

    again = wire.post(DECISION_PATH, fields)

    assert again.status == 400
    assert "Location" not in again.headers


def test_a_transaction_expires(emulator: Emulator, wire: Wire) -> None:
    transaction, _ = choose(wire)

    emulator.clock.advance(601)

    pages = [
        wire.post(DECISION_PATH, {"transaction": transaction, "decision": "accept"}),
        wire.post(PERSON_PATH, {"transaction": transaction, "person": MIRA}),
        wire.get(f"{DECISION_PATH}?transaction={transaction}"),
        wire.get(f"{PERSON_PATH}?transaction={transaction}"),
    ]
    assert [page.status for page in pages] == [400] * 4


def test_a_decision_before_a_person_is_chosen_shows_the_people(wire: Wire) -> None:
    transaction = transaction_in(wire.authorize())

    answer = wire.post(DECISION_PATH, {"transaction": transaction, "decision": "accept"})

    assert "Location" not in answer.headers
    assert "Who is signing in?" in answer.text
    assert "colleague1@acme.example" not in answer.text


@pytest.mark.parametrize("person", ["nobody@acme.example", "colleague1@acme.example", ""])
def test_a_person_who_cannot_sign_in_is_refused_on_the_page(wire: Wire, person: str) -> None:
    _, answer = choose(wire, person)

    assert answer.status == 400
    assert 'role="alert"' in answer.text
    assert f"{person}&#39; cannot sign in" in answer.text


def test_the_consent_page_says_who_asks_for_what_in_plain_words(wire: Wire) -> None:
    _, chosen = choose(wire)

    text = wire.get(chosen.location).text

    for words in (
        "Local integration",
        "See the titles and details of your spaces",
        "spark:rooms_read",
        "http://localhost:8080/oauth",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("changes", "further", "words"),
    [
        ({"client_id": ""}, "", "Parameter:client_id is blank"),
        ({"redirect_uri": "http://localhost:8080/oauth/"}, "", "does not match a pre-registered"),
        ({}, "&state=again", "sent more than once"),
    ],
)
def test_an_unsure_return_address_or_query_ends_on_a_page(
    wire: Wire, changes: dict[str, str], further: str, words: str
) -> None:
    query = urlencode(wire.request_fields(**changes)) + further

    answer = wire.get(wire.get(f"/v1/authorize?{query}").location)

    assert answer.status == 400
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert words in answer.text
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": "spark:people_write"}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
    ],
)
def test_other_errors_go_back_with_the_state(
    wire: Wire, changes: dict[str, str], error: str
) -> None:
    answer = wire.authorize(wire.request_fields(**changes))

    assert answer.status == 302
    assert answer.callback["error"] == error
    assert answer.callback["error_description"]
    assert answer.callback["state"] == "a state"


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"response_type": "token"}, "the implicit grant"),
        ({"response_type": "id_token token"}, "the implicit grant"),
        ({"scope": "openid email"}, "OpenID Connect"),
    ],
)
def test_what_webex_has_beyond_the_code_grant_is_lacking(
    wire: Wire, changes: dict[str, str], name: str
) -> None:
    answer = wire.authorize(wire.request_fields(**changes))

    assert (answer.status, answer.headers["Emulator-Lacks"]) == (501, name)


def test_state_and_description_can_be_left_out_of_errors(emulator: Emulator, wire: Wire) -> None:
    emulator.change_options(is_state_returned_on_error=False, is_error_description_sent=False)

    answer = wire.authorize(wire.request_fields(scope="no"))

    assert answer.callback == {"error": "invalid_scope"}


def test_any_error_can_be_arranged(emulator: Emulator, wire: Wire) -> None:
    emulator.change_options(authorize_error="server_error")

    assert decide(wire, "accept").callback["error"] == "server_error"


def test_the_callback_can_name_its_issuer(emulator: Emulator, wire: Wire) -> None:
    emulator.change_options(callback_issuer="https://idbroker.webex.com/idb")

    assert decide(wire, "accept").callback["iss"] == "https://idbroker.webex.com/idb"


def test_a_blocked_integration_ends_on_a_page(emulator: Emulator, wire: Wire) -> None:
    emulator.change_options(blocked_client_ids=[emulator.integration.client_id])

    answer = wire.authorize()

    assert answer.status == 400
    assert "Your administrator denied access" in answer.text


def test_a_signed_in_browser_goes_straight_to_consent(wire: Wire) -> None:
    text = wire.authorize(Cookie=cookie_of(wire)).text

    assert "Allow access?" in text
    assert MIRA in text


@pytest.mark.parametrize(
    "changes", [{"prompt": "select_account"}, {"max_age": "60"}, {"max_age": "0"}]
)
def test_a_signed_in_browser_can_be_asked_again(
    emulator: Emulator, wire: Wire, changes: dict[str, str]
) -> None:
    cookie = cookie_of(wire)
    emulator.clock.advance(60)

    text = wire.authorize(wire.request_fields(**changes), Cookie=cookie).text

    assert "Who is signing in?" in text


def test_a_suggested_person_comes_first(wire: Wire) -> None:
    text = wire.authorize(wire.request_fields(login_hint="Amara@acme.example")).text

    assert text.index("amara@acme.example") < text.index(MIRA)
    assert text.count("suggested by the application") == 1


def test_the_cookie_is_for_the_sign_in_paths_of_this_port_alone(
    emulator: Emulator, wire: Wire
) -> None:
    _, chosen = choose(wire)

    [cookie] = chosen.headers.get_all("Set-Cookie") or []
    # Cookies ignore ports: a second emulator on this machine must not overwrite it.
    assert cookie.startswith(f"webex_emulator_browser_{urlsplit(emulator.broker_origin).port}=")
    assert f"Path={COOKIE_PATH};" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Domain" not in cookie


def test_without_a_page_an_earlier_consent_is_used(
    emulator: Emulator, wire: Wire, mira: Person
) -> None:
    cookie, silent = cookie_of(wire), wire.request_fields(prompt="none")
    refused = wire.authorize(silent, Cookie=cookie)
    emulator.grant_without_consent(mira)

    answer = wire.authorize(silent, Cookie=cookie)

    assert refused.callback["error"] == "consent_required"
    assert answer.callback["code"]


def test_pages_cannot_be_framed_stored_or_scripted(wire: Wire) -> None:
    answer = wire.authorize()

    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert "<script" not in answer.text.replace("&lt;script", "")
    assert " style=" not in answer.text


def test_every_page_says_that_it_is_not_webex(wire: Wire) -> None:
    _, chosen = choose(wire)
    pages = [
        wire.get("/"),
        wire.authorize(),
        wire.get(chosen.location),
        wire.authorize({"client_id": ""}),
        decide(wire, "show"),
        wire.get(LOGOUT_PATH),
    ]

    for one in pages:
        assert "This is the webex-oauth emulator, not Webex." in one.text


def test_the_front_page_lists_what_there_is_but_no_secret(emulator: Emulator, wire: Wire) -> None:
    text = wire.get("/").text

    for line in ("GET /v1/rooms", "POST /v1/access_token", "POST /idb/oauth2/v1/revoke"):
        assert f"<code>{line}</code>" in text
    assert "<code>POST /v1/rooms</code>" not in text
    assert emulator.broker_origin in text
    assert emulator.integration.client_id in text
    assert emulator.integration.client_secret not in text


def test_a_visitor_tells_why_a_sign_in_ends_on_a_page(
    emulator: Emulator, authorize_url: str
) -> None:
    with pytest.raises(VisitRefused) as refusal:
        Visitor().sign_in(f"{emulator.origin}/v1/authorize?client_id=", MIRA)

    assert refusal.value.status == 400
    assert "client_id is blank" in refusal.value.page
    assert refusal.value.reason == "invalid_request: Parameter:client_id is blank"
    assert refusal.value.reason in str(refusal.value)
    with pytest.raises(VisitRefused, match=r"'mira@acme\.exmaple' cannot sign in"):
        Visitor().sign_in(authorize_url, "mira@acme.exmaple")
    emulator.faults.add("GET", "/v1/authorize", Answer(status=503, text='{"message":"down"}'))
    with pytest.raises(VisitRefused, match=r'status 503: \{"message":"down"\}'):
        Visitor().sign_in(authorize_url, MIRA)


@pytest.mark.parametrize("goto", ["http://localhost:8080/", "http://localhost:8080/bye?a=b"])
def test_logout_leads_to_a_registered_origin(wire: Wire, goto: str) -> None:
    answer = wire.get(f"{LOGOUT_PATH}?{urlencode({'goto': goto})}")

    assert (answer.status, answer.location) == (302, goto)


@pytest.mark.parametrize(
    "goto",
    [
        "https://evil.example/",
        "https://localhost:8080/",
        "http://localhost:8080@evil.example/",
        "http://localhost:8080\\.evil.example/",
        "http://localhost:8080/\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
    ],
)
def test_logout_leads_nowhere_else(wire: Wire, goto: str) -> None:
    answer = wire.get(f"{LOGOUT_PATH}?{urlencode({'goto': goto})}")

    assert answer.status == 200
    assert "Location" not in answer.headers
    assert "not followed" in answer.text


def test_logout_signs_the_browser_out(wire: Wire) -> None:
    cookie, silent = cookie_of(wire), wire.request_fields(prompt="none")
    before = wire.authorize(silent, Cookie=cookie).callback["error"]

    signed_out = wire.get(LOGOUT_PATH, Cookie=cookie)

    assert before == "consent_required"
    assert wire.authorize(silent, Cookie=cookie).callback["error"] == "login_required"
    assert signed_out.headers["Set-Cookie"].startswith(cookie.partition("=")[0] + '="";')
    assert "signed out" in signed_out.text
    assert "not followed" not in signed_out.text


@pytest.mark.parametrize(("is_revoked", "status"), [(True, 401), (False, 200)])
def test_logout_revokes_the_token_of_its_link_or_spares_it(
    emulator: Emulator, wire: Wire, token: str, *, is_revoked: bool, status: int
) -> None:
    emulator.change_options(logout_revokes_token=is_revoked)

    wire.get(f"{LOGOUT_PATH}?token={token}")

    assert wire.get("/v1/people/me", token).status == status
