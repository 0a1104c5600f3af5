"""Reading a callback, and checking whose it is (RFC 6749 section 4.1.2, RFC 9207)."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

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
    check_callback,
    read_callback,
)
from webex_oauth.oauth.server import AuthorizationServer
from webex_oauth.secret import Secret

ISSUER = "https://as.example"
SERVER = AuthorizationServer(
    issuer=ISSUER,
    authorization_endpoint="https://as.example/authorize",
    token_endpoint="https://as.example/token",
)


def code_callback(issuer: str | None = None) -> CodeCallback:
    return CodeCallback(Secret("xyz"), Secret("SplxlOBeZQQYbYS6WxSbIA"), issuer)


def error_callback(issuer: str | None = None) -> ErrorCallback:
    return ErrorCallback(Secret("xyz"), "access_denied", "no", issuer)


def test_the_success_of_section_4_1_2_is_read() -> None:
    assert read_callback(b"code=SplxlOBeZQQYbYS6WxSbIA&state=xyz") == code_callback()


def test_the_error_of_section_4_1_2_1_is_read() -> None:
    callback = read_callback(b"error=access_denied&state=xyz")

    assert callback == ErrorCallback(Secret("xyz"), "access_denied", None, None)


def test_the_issuer_of_rfc_9207_is_read() -> None:
    callback = read_callback(
        b"code=x1848ZT64p4IirMPT0R-X3141MFPTuBX-VFL_cvaplMH58&state=ZWVlNDBlYzA1NjdkMDNhYjg3ZjUxZjAyNGQzMTM2NzI&iss=https%3A%2F%2Fhonest.as.example"
    )

    assert callback.issuer == "https://honest.as.example"


def test_a_long_code_with_underscores_is_read() -> None:
    code = "Q" * 64 + "_PF84_0f8c5d1e-2b7a-4e0c-9d53-7a1e4b6c8d90"

    assert read_callback(f"code={code}&state=xyz".encode()) == replace(
        code_callback(), code=Secret(code)
    )


@pytest.mark.parametrize(
    ("query", "description"),
    [
        (b"error=server_error&error_description=try+again&state=xyz", "try again"),
        (b"error=server_error&error_description=try%20again&state=xyz", "try again"),
        (b"error=server_error&error_description=f%C3%BCr&state=xyz", "für"),
        (b"error=server_error&error_description=&state=xyz", None),
        (b"error=server_error&error_description=a%E2%80%AEb&state=xyz", "a b"),
        (b"error=server_error&error_description=%3Cb%3E&error_uri=//x&state=xyz", "<b>"),
        (b"error=server_error&code=&state=xyz", None),
        (b"error=server_error&error_description=two%0d%0alines%09more&state=xyz", "two lines more"),
        (b"error=server_error&error_description=f%FCr&state=xyz", "für"),
        (b"error=server_error&error_description=f\xfcr&state=xyz", "für"),
        (b"error=server_error&error_description=%c3%28%ff&state=xyz", "Ã(ÿ"),
        (b"error=server_error&error_description=100%25%&state=xyz", "100%%"),
        (b"error=server_error&error_description=%00%1b[31mred&state=xyz", "[31mred"),
        (b"error=server_error&error_description&error_uri&state=xyz", None),
        (b"error=server_error&error_description=no&error_uri=%0a%ff%zz&state=xyz", "no"),
    ],
)
def test_the_description_of_an_error_is_text_for_people(
    query: bytes, description: str | None
) -> None:
    callback = read_callback(query)

    assert callback == ErrorCallback(Secret("xyz"), "server_error", description, None)


@pytest.mark.parametrize(
    "query",
    [
        b"&code=SplxlOBeZQQYbYS6WxSbIA&&state=xyz&",
        b"state=xyz&code=SplxlOBeZQQYbYS6WxSbIA",
        b"code=SplxlOBeZQQYbYS6WxSbIA&state=xyz&error=",
        b"code=SplxlOBeZQQYbYS6WxSbIA&state=xyz&session_state=1&session_state=2",
        b"code=SplxlOBeZQQYbYS6WxSbIA&state=xyz&return_to=//evil",
        b"%63ode=SplxlOBeZQQYbYS6WxSbIA&state=x%79z",
        b"code=SplxlOBeZQQYbYS6WxSbIA&state=xyz&other=%c3%28&other=%&other=%zz&other",
        b"code=SplxlOBeZQQYbYS6WxSbIA&state=xyz&other=%1b[31m%00%0d%0a\t\xff&=&=1",
        b"code=SplxlOBeZQQYbYS6WxSbIA&state=xyz&ot%00her=1&caf%E9=1&co%6=a&state%00=2&sta te=3",
        b"code=SplxlOBeZQQYbYS6WxSbIA&state=xyz&%EF%BD%83ode=b&code%C2%A0=b&C%4fDE=b",
        b"code=SplxlOBeZQQYbYS6WxSbIA&state=xyz&error_description=%0a%ff&error_uri=%",
        b"code=SplxlOBeZQQYbYS6WxSbIA&state=xyz&" + b"&".join(b"p%d=" % n for n in range(30)),
    ],
)
def test_what_does_not_matter_is_ignored(query: bytes) -> None:
    assert read_callback(query) == code_callback()


@pytest.mark.parametrize(
    ("query", "parameter", "error"),
    [
        (b"", "state", None),
        (b"state=", "state", None),
        (b"code=abc", "state", None),
        (b"code=abc&state=", "state", None),
        (b"error=access_denied", "state", "access_denied"),
        (b"State=xyz&Code=abc", "state", None),
        (b"state=xyz", "code", None),
        (b"state=xyz&code=", "code", None),
        (b"state=xyz&code", "code", None),
        (b"state=xyz&error=", "code", None),
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
    "the same state twice": b"code=a&state=xyz&state=xyz",
    "a second state in disguise": b"code=a&state=x&st%61te=y",
    "two errors": b"error=a&error=b&state=xyz",
    "two descriptions": b"error=a&error_description=1&error_description=2&state=xyz",
    "two error pages": b"error=a&error_uri=1&error_uri=2&state=xyz",
    "two issuers": b"code=a&state=xyz&iss=https://a&iss=https://b",
    "code and error": b"code=a&error=access_denied&state=xyz",
    "code and error without state": b"code=a&error=access_denied",
    "a lone percent": b"code=%&state=xyz",
    "half an escape": b"code=%4&state=xyz",
    "an escape of no number": b"code=%zz&state=xyz",
    "an escape cut off": b"code=abc&state=xyz%",
    "bytes that are no character": b"code=%ff&state=xyz",
    "an overlong slash": b"code=%c0%af&state=xyz",
    "half a surrogate": b"code=a&state=%ed%a0%80",
    "a character cut in half": b"code=a&state=%e2%82",
    "raw bytes beyond ASCII": b"code=\xc3\xa4&state=xyz",
    "a raw NUL": b"code=a\x00&state=xyz",
    "a raw space": b"code=a b&state=xyz",
    "a raw line end": b"code=a\r\n&state=xyz",
    "an encoded NUL": b"code=a%00&state=xyz",
    "an encoded line end": b"code=a%0d%0aSet-Cookie:%20x&state=xyz",
    "an encoded line end in the state": b"code=a&state=xyz%0A",
    "an encoded tab": b"code=a&state=x%09z",
    "a delete": b"code=a%7f&state=xyz",
    "an issuer with a line end": b"code=a&state=xyz&iss=https://a%0a",
    "an issuer of no character": b"code=a&state=xyz&iss=%ff",
    "an error with a line end": b"error=a%0a&state=xyz",
    "an error of no character": b"error=%ff&state=xyz",
    "a C1 control": b"code=%c2%85&state=xyz",
    "a code beyond ASCII": b"code=%e2%82%ac&state=xyz",
    "a state beyond ASCII": b"code=a&state=%c3%a9",
    "a state of bidirectional overrides": b"code=a&state=%e2%80%ae",
    "an error beyond ASCII": b"error=%c3%a9&state=xyz",
    "an error with a quotation mark": b"error=%22&state=xyz",
    "an error of 129 characters": b"error=" + b"e" * 129 + b"&state=xyz",
    "an error with a backslash": b"error=%5c&state=xyz",
    "8 KiB and one byte": b"code=a&state=xyz&p=" + b"a" * (8 * 1024 - 18),
    "20 KB": b"code=" + b"a" * 20_000 + b"&state=xyz",
    "33 parameters": b"code=a&state=xyz" + b"&p=1" * 31,
    "1,000 parameters": b"code=a&state=xyz" + b"&p=1" * 1_000,
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


@pytest.mark.parametrize("issuer", [None, ISSUER])
def test_a_checked_callback_gives_its_code(issuer: str | None) -> None:
    code = check_callback(code_callback(issuer), SERVER)

    assert code == AuthorizationCode(Secret("SplxlOBeZQQYbYS6WxSbIA"))


def test_an_issuer_may_have_other_names() -> None:
    server = replace(SERVER, issuer_aliases=frozenset({"https://eu.as.example"}))

    code = check_callback(code_callback("https://eu.as.example"), server)

    assert code.code == Secret("SplxlOBeZQQYbYS6WxSbIA")


@pytest.mark.parametrize("callback", [code_callback(), error_callback()])
def test_a_missing_issuer_is_refused_where_one_is_promised(callback: Callback) -> None:
    with pytest.raises(IssuerMismatch):
        check_callback(callback, replace(SERVER, sends_issuer=True))


@pytest.mark.parametrize("sends_issuer", [True, False])
@pytest.mark.parametrize(
    "issuer",
    [
        "",
        "https://evil.example",
        "https://as.example/",
        "HTTPS://as.example",
        "https://as.example:443",
    ],
)
@pytest.mark.parametrize("make", [code_callback, error_callback])
def test_another_issuer_is_refused(
    make: Callable[[str], Callback], issuer: str, *, sends_issuer: bool
) -> None:
    with pytest.raises(IssuerMismatch):
        check_callback(make(issuer), replace(SERVER, sends_issuer=sends_issuer))


def test_an_error_of_the_right_issuer_is_told() -> None:
    with pytest.raises(AuthorizationRefused) as refusal:
        check_callback(error_callback(ISSUER), replace(SERVER, sends_issuer=True))

    assert (refusal.value.error, refusal.value.description) == ("access_denied", "no")
