"""The authorization request and its callback (RFC 6749 section 4.1, RFC 7636, RFC 9207)."""

import base64
import hashlib
import re
from collections.abc import Callable
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace
from unit.oauth.example import CLIENT, SERVER

from webex_oauth.errors import (
    AuthorizationRefused,
    IncompleteCallback,
    IssuerMismatch,
    MalformedCallback,
)
from webex_oauth.oauth.authorization import (
    AuthorizationCode,
    Callback,
    CodeCallback,
    ErrorCallback,
    authorization_url,
    check_callback,
    code_challenge,
    code_verifier,
    read_callback,
)
from webex_oauth.oauth.server import AuthorizationServer
from webex_oauth.secret import Secret

APPENDIX_B_OCTETS = bytes.fromhex(
    "7418dfb49799e0254ffa607dd8adbbba16d4254d69d6bff05b58055853848d79"
)
APPENDIX_B_VERIFIER = Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")


def test_verifier_and_challenge_are_those_of_appendix_b() -> None:
    assert code_verifier(APPENDIX_B_OCTETS) == APPENDIX_B_VERIFIER
    assert code_challenge(APPENDIX_B_VERIFIER) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@given(st.binary(min_size=32, max_size=96))
def test_a_verifier_keeps_to_its_grammar_and_a_server_computes_its_challenge(
    random_bytes: bytes,
) -> None:
    verifier = code_verifier(random_bytes)

    assert re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", verifier.reveal())
    digest = hashlib.sha256(verifier.reveal().encode()).digest()
    assert base64.urlsafe_b64decode(code_challenge(verifier) + "=") == digest


@pytest.mark.parametrize("size", [0, 1, 16, 31, 97, 1000])
def test_a_verifier_is_not_made_from_too_little_or_too_much(size: int) -> None:
    with pytest.raises(ValueError, match="32 to 96"):
        code_verifier(bytes(size))


def url(server: AuthorizationServer = SERVER, state: str = "xyz", *scopes: str) -> str:
    asked = scopes or ("a", "b")
    return authorization_url(server, CLIENT, scopes=asked, state=Secret(state), challenge="E9M")


def test_the_url_asks_for_a_code_with_every_parameter_once() -> None:
    assert parse_qs(urlsplit(url()).query, strict_parsing=True) == {
        "response_type": ["code"],
        "client_id": ["s6BhdRkqt3"],
        "redirect_uri": ["https://client.example.com/cb"],
        "scope": ["a b"],
        "state": ["xyz"],
        "code_challenge": ["E9M"],
        "code_challenge_method": ["S256"],
    }
    assert "gX1fBat3bV" not in url()


def test_spaces_are_percent_encoded() -> None:
    assert "scope=a%20b&" in url()
    assert "+" not in url()


@pytest.mark.parametrize(
    ("endpoint", "start"),
    [
        ("https://as.example/authorize", "https://as.example/authorize?response_type="),
        ("https://as.example/authorize?", "https://as.example/authorize?response_type="),
        ("https://as.example/a?tenant=1", "https://as.example/a?tenant=1&response_type="),
        ("https://as.example/a?tenant=1&", "https://as.example/a?tenant=1&response_type="),
    ],
)
def test_a_query_of_the_endpoint_is_kept(endpoint: str, start: str) -> None:
    assert url(replace(SERVER, authorization_endpoint=endpoint)).startswith(start)


def test_a_hint_of_the_endpoint_gives_way_to_the_one_of_a_sign_in() -> None:
    server = replace(SERVER, authorization_endpoint="https://as.example/a?login_hint=x&tenant=1")

    hinted = authorization_url(
        server, CLIENT, scopes=["a"], state=Secret("s"), challenge="E9M", login_hint="a@b.example"
    )

    query = parse_qs(urlsplit(hinted).query)
    assert (query["login_hint"], query["tenant"]) == (["a@b.example"], ["1"])
    assert "login_hint=x&" in url(server)


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters=" "), min_size=1), min_size=1),
    st.text(min_size=1),
)
def test_scopes_and_state_arrive_as_they_were_given(scopes: list[str], state: str) -> None:
    arrived = dict(parse_qsl(urlsplit(url(SERVER, state, *scopes)).query, strict_parsing=True))

    assert (arrived["scope"], arrived["state"]) == (" ".join(scopes), state)


def code_callback(issuer: str | None = None) -> CodeCallback:
    return CodeCallback(Secret("xyz"), Secret("SplxlOBeZQQYbYS6WxSbIA"), issuer)


def error_callback(issuer: str | None = None) -> ErrorCallback:
    return ErrorCallback(Secret("xyz"), "access_denied", "no", issuer)


def test_the_callbacks_of_section_4_1_2_are_read() -> None:
    code = read_callback(b"code=SplxlOBeZQQYbYS6WxSbIA&state=xyz")
    error = read_callback(b"error=access_denied&state=xyz")

    assert code == code_callback()
    assert error == ErrorCallback(Secret("xyz"), "access_denied", None, None)


def test_the_issuer_of_rfc_9207_is_read() -> None:
    callback = read_callback(
        b"code=x1848ZT64p4IirMPT0R-X3141MFPTuBX-VFL_cvaplMH58&state=ZWVlNDBlYzA1NjdkMDNhYjg3ZjUxZjAyNGQzMTM2NzI&iss=https%3A%2F%2Fhonest.as.example"
    )

    assert callback.issuer == "https://honest.as.example"


@pytest.mark.parametrize(
    ("query", "description"),
    [
        (b"error_description=try%20again", "try again"),
        (b"error_description=f%C3%BCr", "für"),
        (b"error_description=a%E2%80%AEb", "a b"),
        (b"error_description=%3Cb%3E&error_uri=//x", "<b>"),
        (b"code=", None),
        (b"error_description=two%0d%0alines%09more", "two lines more"),
        (b"error_description=f%FCr", "für"),
        (b"error_description=f\xfcr", "für"),
        (b"error_description=%c3%28%ff", "Ã(ÿ"),
        (b"error_description=100%25%", "100%%"),
        (b"error_description=%00%1b[31mred", "[31mred"),
        (b"error_description&error_uri", None),
        (b"error_description=no&error_uri=%0a%ff%zz", "no"),
    ],
)
def test_the_description_of_an_error_is_text_for_people(
    query: bytes, description: str | None
) -> None:
    callback = read_callback(b"error=server_error&state=xyz&" + query)

    assert callback == ErrorCallback(Secret("xyz"), "server_error", description, None)


CODE_AND_STATE = b"code=SplxlOBeZQQYbYS6WxSbIA&state=xyz"


@pytest.mark.parametrize(
    "query",
    [
        b"&code=SplxlOBeZQQYbYS6WxSbIA&&state=xyz&",
        b"state=xyz&code=SplxlOBeZQQYbYS6WxSbIA",
        b"%63ode=SplxlOBeZQQYbYS6WxSbIA&state=x%79z",
        CODE_AND_STATE + b"&error=",
        CODE_AND_STATE + b"&session_state=1&session_state=2&return_to=//evil",
        CODE_AND_STATE + b"&other=%c3%28&other=%&other=%zz&other",
        CODE_AND_STATE + b"&other=%1b[31m%00%0d%0a\t\xff&=&=1",
        CODE_AND_STATE + b"&ot%00her=1&caf%E9=1&co%6=a&state%00=2&sta te=3",
        CODE_AND_STATE + b"&%EF%BD%83ode=b&code%C2%A0=b&C%4fDE=b",
        CODE_AND_STATE + b"&error_description=%0a%ff&error_uri=%",
        CODE_AND_STATE + b"&" + b"&".join(b"p%d=" % n for n in range(30)),
    ],
)
def test_what_does_not_matter_is_ignored(query: bytes) -> None:
    assert read_callback(query) == code_callback()


@pytest.mark.parametrize(
    ("query", "parameter", "error"),
    [
        *((query, "state", None) for query in (b"", b"state=", b"code=abc", b"code=abc&state=")),
        (b"State=xyz&Code=abc", "state", None),
        (b"error=access_denied", "state", "access_denied"),
        *((b"state=xyz" + rest, "code", None) for rest in (b"", b"&code=", b"&code", b"&error=")),
        (b"state=xyz&error_description=text", "code", None),
    ],
)
def test_a_callback_that_lacks_something_says_what(
    query: bytes, parameter: str, error: str | None
) -> None:
    with pytest.raises(IncompleteCallback) as refusal:
        read_callback(query)

    assert (refusal.value.parameter, refusal.value.error) == (parameter, error)


HOSTILE = {
    "two codes": b"code=a&code=b&state=xyz",
    "the same code twice": b"code=a&code=a&state=xyz",
    "an empty second code": b"code=a&code=&state=xyz",
    "two states": b"code=a&state=x&state=y",
    "a second state in disguise": b"code=a&state=x&st%61te=y",
    "two errors": b"error=a&error=b&state=xyz",
    "two descriptions": b"error=a&error_description=1&error_description=2&state=xyz",
    "two error pages": b"error=a&error_uri=1&error_uri=2&state=xyz",
    "two issuers": b"code=a&state=xyz&iss=https://a&iss=https://b",
    "code and error": b"code=a&error=access_denied&state=xyz",
    "code and error without state": b"code=a&error=access_denied",
    "a lone percent": b"code=%&state=xyz",
    "an escape of no number": b"code=%zz&state=xyz",
    "an escape cut off": b"code=abc&state=xyz%",
    "bytes that are no character": b"code=%ff&state=xyz",
    "an overlong slash": b"code=%c0%af&state=xyz",
    "half a surrogate": b"code=a&state=%ed%a0%80",
    "a character cut in half": b"code=a&state=%e2%82",
    "raw bytes beyond ASCII": b"code=\xc3\xa4&state=xyz",
    "a raw NUL": b"code=a\x00&state=xyz",
    "a raw space": b"code=a b&state=xyz",
    "an encoded NUL": b"code=a%00&state=xyz",
    "an encoded line end": b"code=a%0d%0aSet-Cookie:%20x&state=xyz",
    "an encoded line end in the state": b"code=a&state=xyz%0A",
    "a delete": b"code=a%7f&state=xyz",
    "an issuer with a line end": b"code=a&state=xyz&iss=https://a%0a",
    "an error with a line end": b"error=a%0a&state=xyz",
    "a C1 control": b"code=%c2%85&state=xyz",
    "a code beyond ASCII": b"code=%e2%82%ac&state=xyz",
    "a state beyond ASCII": b"code=a&state=%c3%a9",
    "a state of bidirectional overrides": b"code=a&state=%e2%80%ae",
    "an error beyond ASCII": b"error=%c3%a9&state=xyz",
    "an error with a quotation mark": b"error=%22&state=xyz",
    "an error of 129 characters": b"error=" + b"e" * 129 + b"&state=xyz",
    "an error with a backslash": b"error=%5c&state=xyz",
    "8 KiB and one byte": b"code=a&state=xyz&p=" + b"a" * (8 * 1024 - 18),
    "33 parameters": b"code=a&state=xyz" + b"&p=1" * 31,
    "nothing but separators": b"&" * 40,
}


@pytest.mark.bound("query of a callback")
@pytest.mark.parametrize("query", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_no_authorization_server_sends_is_refused(query: bytes) -> None:
    with pytest.raises(MalformedCallback) as refusal:
        read_callback(query)

    assert not isinstance(refusal.value, IncompleteCallback)


@pytest.mark.bound("query of a callback")
def test_a_query_of_exactly_8_kib_is_read() -> None:
    query = b"code=SplxlOBeZQQYbYS6WxSbIA&state=xyz&p="

    assert read_callback(query.ljust(8 * 1024, b"a")) == code_callback()


PIECES = st.sampled_from(
    [b"code", b"state", b"error", b"iss", b"=", b"&", b"%", b"%00", b"%c3", b"+", b"x", b"\xff"]
)


@given(st.one_of(st.binary(), st.lists(PIECES).map(b"".join)))
def test_any_bytes_are_a_callback_or_refused(query: bytes) -> None:
    try:
        callback = read_callback(query)
    except MalformedCallback:
        return

    shown = callback.code.reveal() if isinstance(callback, CodeCallback) else callback.error
    assert all(text.isascii() and text.isprintable() for text in (shown, callback.state.reveal()))


VISIBLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=200)


@given(VISIBLE, VISIBLE)
def test_code_and_state_arrive_as_they_were_sent(code: str, state: str) -> None:
    callback = read_callback(b"&".join([b"code=" + _escaped(code), b"state=" + _escaped(state)]))

    assert callback == CodeCallback(Secret(state), Secret(code), None)


def _escaped(text: str) -> bytes:
    return b"".join(b"%%%02X" % octet for octet in text.encode())


def test_a_callback_does_not_print_its_code_and_state() -> None:
    shown = repr(read_callback(b"code=SplxlOBeZQQYbYS6WxSbIA&state=canary"))

    assert "Splxl" not in shown
    assert "canary" not in shown


EU = "https://eu.as.example"


@pytest.mark.parametrize("issuer", [None, SERVER.issuer, EU])
def test_a_callback_from_the_right_issuer_gives_its_code(issuer: str | None) -> None:
    code = check_callback(code_callback(issuer), replace(SERVER, issuer_aliases=frozenset({EU})))

    assert code == AuthorizationCode(Secret("SplxlOBeZQQYbYS6WxSbIA"))


WRONG_ISSUERS = ["", "https://evil.example", "https://as.example/", "HTTPS://as.example", EU]


@pytest.mark.parametrize(
    ("issuer", "sends_issuer"),
    [(None, True), *((one, sends) for one in WRONG_ISSUERS for sends in (True, False))],
)
@pytest.mark.parametrize("make", [code_callback, error_callback])
def test_another_issuer_is_refused_and_a_missing_one_if_it_is_promised(
    make: Callable[[str | None], Callback], issuer: str | None, *, sends_issuer: bool
) -> None:
    with pytest.raises(IssuerMismatch):
        check_callback(make(issuer), replace(SERVER, sends_issuer=sends_issuer))


def test_an_error_of_the_right_issuer_is_raised() -> None:
    with pytest.raises(AuthorizationRefused) as refusal:
        check_callback(error_callback(SERVER.issuer), replace(SERVER, sends_issuer=True))

    assert (refusal.value.error, refusal.value.description) == ("access_denied", "no")
