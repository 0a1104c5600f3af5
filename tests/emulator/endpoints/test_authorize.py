"""The authorization endpoint, walked as a browser would."""

import re
from urllib.parse import urlencode

import pytest
from emulator.conftest import find_person
from emulator.wire import Wire, WireAnswer

from webex_oauth.emulator import Answer, Emulator, Person, Visitor, VisitRefused
from webex_oauth.emulator.endpoints.authorize import COOKIE_PATH

PERSON_PATH = "/idb/oauth2/v1/authorize/person"
DECISION_PATH = "/idb/oauth2/v1/authorize/decision"


def transaction_in(answer: WireAnswer) -> str:
    form = re.search(r'name="transaction" value="([0-9a-f]+)"', answer.text)
    assert form is not None
    return form[1]


def choose(wire: Wire, person: str) -> tuple[str, WireAnswer]:
    transaction = transaction_in(wire.authorize())
    return transaction, wire.post(PERSON_PATH, {"transaction": transaction, "person": person})


def decide(wire: Wire, decision: str) -> WireAnswer:
    transaction, _ = choose(wire, "mira@acme.example")
    return wire.post(DECISION_PATH, {"transaction": transaction, "decision": decision})


def cookie_in(answer: WireAnswer) -> str:
    return str(answer.headers["Set-Cookie"]).split(";", maxsplit=1)[0]


def test_accepting_brings_a_code_and_the_state_unchanged(wire: Wire) -> None:
    answer = decide(wire, "accept")

    assert answer.status == 302
    assert answer.location.startswith("http://localhost:8080/oauth?code=")
    assert answer.callback["state"] == "a state"


def test_declining_brings_access_denied(wire: Wire) -> None:
    answer = decide(wire, "decline")

    assert answer.callback["error"] == "access_denied"
    assert answer.callback["state"] == "a state"
    assert "code" not in answer.callback


def test_a_decision_can_be_made_once(wire: Wire) -> None:
    transaction, _ = choose(wire, "mira@acme.example")
    fields = {"transaction": transaction, "decision": "accept"}
    wire.post(DECISION_PATH, fields)

    again = wire.post(DECISION_PATH, fields)

    assert again.status == 400
    assert "Location" not in again.headers


def test_a_transaction_expires(emulator: Emulator, wire: Wire) -> None:
    transaction, _ = choose(wire, "mira@acme.example")

    emulator.clock.advance(601)

    pages = [
        wire.post(DECISION_PATH, {"transaction": transaction, "decision": "accept"}),
        wire.post(PERSON_PATH, {"transaction": transaction, "person": "mira@acme.example"}),
        wire.get(f"{DECISION_PATH}?transaction={transaction}"),
        wire.get(f"{PERSON_PATH}?transaction={transaction}"),
    ]
    assert [page.status for page in pages] == [400] * 4


def test_nobody_decides_before_a_person_is_chosen(wire: Wire) -> None:
    transaction = transaction_in(wire.authorize())

    answer = wire.post(DECISION_PATH, {"transaction": transaction, "decision": "accept"})

    assert "Location" not in answer.headers
    assert "Who is signing in?" in answer.text


@pytest.mark.parametrize("person", ["nobody@acme.example", "colleague1@acme.example", ""])
def test_who_cannot_sign_in_is_asked_again(wire: Wire, person: str) -> None:
    _, answer = choose(wire, person)

    assert answer.status == 400
    assert 'role="alert"' in answer.text
    assert f"{person}&#39; cannot sign in" in answer.text


def test_a_decision_that_is_none_shows_the_page_again(wire: Wire) -> None:
    answer = decide(wire, "perhaps")

    assert answer.status == 200
    assert "Allow access?" in answer.text


@pytest.mark.parametrize("path", [PERSON_PATH, DECISION_PATH])
def test_a_form_of_another_type_is_refused(wire: Wire, path: str) -> None:
    answer = wire.send("POST", path, "{}", {"Content-Type": "application/json"})

    assert answer.status == 400
    assert "invalid_request" in answer.text


def test_the_consent_page_says_who_asks_for_what_in_plain_words(wire: Wire) -> None:
    _, chosen = choose(wire, "mira@acme.example")

    page = wire.get(chosen.location).text

    assert "Local integration" in page
    assert "See the titles and details of your spaces" in page
    assert "spark:rooms_read" in page
    assert "http://localhost:8080/oauth" in page


@pytest.mark.parametrize(
    ("changes", "status_words"),
    [
        ({"client_id": ""}, "Parameter:client_id is blank"),
        ({"client_id": "C" + "0" * 64}, "was not issued by an emulator"),
        ({"redirect_uri": "http://localhost:8080/oauth/"}, "redirect_uri_mismatch"),
    ],
)
def test_an_unsure_return_address_ends_on_a_page(
    wire: Wire, changes: dict[str, str], status_words: str
) -> None:
    answer = wire.authorize(wire.request_fields(**changes))

    assert answer.status == 400
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert status_words in answer.text
    assert "Location" not in answer.headers


@pytest.mark.parametrize("query", ["&client_id=a", "&state=again", "&%FF=1"])
def test_a_repeated_or_malformed_parameter_ends_on_a_page(wire: Wire, query: str) -> None:
    handed_over = wire.get(f"/v1/authorize?{urlencode(wire.request_fields())}{query}")
    answer = wire.get(handed_over.location)

    assert answer.status == 400
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": "spark:people_write"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": "short"}, "invalid_request"),
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
    assert decide(wire, "decline").callback["iss"] == "https://idbroker.webex.com/idb"


def test_a_blocked_integration_ends_on_a_page(emulator: Emulator, wire: Wire) -> None:
    emulator.change_options(blocked_client_ids=[emulator.integration.client_id])

    answer = wire.authorize()

    assert answer.status == 400
    assert "Your administrator denied access" in answer.text


def test_a_signed_in_browser_goes_straight_to_consent(wire: Wire) -> None:
    _, chosen = choose(wire, "mira@acme.example")

    page = wire.authorize(Cookie=cookie_in(chosen)).text

    assert "Allow access?" in page
    assert "mira@acme.example" in page


@pytest.mark.parametrize(
    "changes", [{"prompt": "select_account"}, {"max_age": "60"}, {"max_age": "0"}]
)
def test_a_signed_in_browser_can_be_asked_again(
    emulator: Emulator, wire: Wire, changes: dict[str, str]
) -> None:
    _, chosen = choose(wire, "mira@acme.example")
    emulator.clock.advance(60)

    page = wire.authorize(wire.request_fields(**changes), Cookie=cookie_in(chosen)).text

    assert "Who is signing in?" in page


def test_a_hinted_person_stands_first(wire: Wire) -> None:
    page = wire.authorize(wire.request_fields(login_hint="Amara@acme.example")).text

    assert page.index("amara@acme.example") < page.index("mira@acme.example")
    assert page.count("suggested by the application") == 1


def test_the_cookie_is_sent_to_the_sign_in_paths_alone(wire: Wire) -> None:
    _, chosen = choose(wire, "mira@acme.example")

    [cookie] = chosen.headers.get_all("Set-Cookie") or []
    assert f"Path={COOKIE_PATH};" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Domain" not in cookie


def test_without_a_page_an_earlier_consent_is_used(
    emulator: Emulator, wire: Wire, mira: Person
) -> None:
    _, chosen = choose(wire, mira.email)
    silent = wire.request_fields(prompt="none")
    refused = wire.authorize(silent, Cookie=cookie_in(chosen))
    emulator.grant_without_consent(mira)

    answer = wire.authorize(silent, Cookie=cookie_in(chosen))

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
    _, chosen = choose(wire, "mira@acme.example")
    pages = [
        wire.get("/"),
        wire.authorize(),
        wire.get(chosen.location),
        wire.authorize({"client_id": ""}),
        wire.get("/idb/oauth2/v1/logout"),
    ]

    for page in pages:
        assert "This is the webex-oauth emulator, not Webex." in page.text


def test_no_page_shows_a_client_secret(emulator: Emulator, wire: Wire) -> None:
    assert emulator.integration.client_id in wire.get("/").text
    assert emulator.integration.client_secret not in wire.get("/").text


def test_a_visitor_walks_the_pages(emulator: Emulator, wire: Wire) -> None:
    visitor = Visitor()
    url = f"{emulator.origin}/v1/authorize?{urlencode(wire.request_fields())}"

    accepted = visitor.sign_in(url, "mira@acme.example")
    declined = visitor.sign_in(url, "mira@acme.example", "decline")

    assert "code=" in accepted
    assert "error=access_denied" in declined


def test_a_visitor_tells_when_a_sign_in_ends_on_a_page(emulator: Emulator) -> None:
    with pytest.raises(VisitRefused) as refusal:
        Visitor().sign_in(f"{emulator.origin}/v1/authorize?client_id=", "mira@acme.example")

    assert refusal.value.status == 400
    assert "client_id is blank" in refusal.value.page
    assert refusal.value.reason == "invalid_request: Parameter:client_id is blank"
    assert refusal.value.reason in str(refusal.value)


def test_a_visitor_tells_who_cannot_sign_in(emulator: Emulator, wire: Wire) -> None:
    url = f"{emulator.origin}/v1/authorize?{urlencode(wire.request_fields())}"

    with pytest.raises(VisitRefused, match=r"'mira@acme\.exmaple' cannot sign in"):
        Visitor().sign_in(url, "mira@acme.exmaple")


def test_a_visitor_tells_what_a_fault_answered(emulator: Emulator, wire: Wire) -> None:
    emulator.faults.add("GET", "/v1/authorize", Answer(status=503, text='{"message":"down"}'))
    url = f"{emulator.origin}/v1/authorize?{urlencode(wire.request_fields())}"

    with pytest.raises(VisitRefused, match=r'status 503: \{"message":"down"\}'):
        Visitor().sign_in(url, "mira@acme.example")


def test_a_colleague_is_not_offered(emulator: Emulator, wire: Wire) -> None:
    colleague = find_person(emulator, "colleague1@acme.example")

    assert colleague.email not in wire.authorize().text
