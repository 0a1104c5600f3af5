"""Reading what the token endpoint answers (RFC 6749 sections 5.1 and 5.2)."""

import json
from traceback import TracebackException
from typing import Any

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace
from unit.oauth.example import NOW, SERVER

from webex_oauth.errors import (
    InvalidClient,
    InvalidGrant,
    InvalidResponse,
    RateLimited,
    ServerFailed,
    TokenError,
    TokenRequestRefused,
    WebexOAuthError,
)
from webex_oauth.oauth.http import HttpResponse
from webex_oauth.oauth.server import AuthorizationServer
from webex_oauth.oauth.token import MAX_SCOPES, TokenSet, merge_tokens, read_token_response
from webex_oauth.secret import Secret

JSON = {"content-type": "application/json;charset=UTF-8"}
BEARER: dict[str, object] = {"access_token": "2YotnFZFEjr1zCsicMWpAA", "token_type": "Bearer"}


def answer(members: object, status: int = 200) -> HttpResponse:
    return HttpResponse(status, JSON, json.dumps(members).encode())


def read(response: HttpResponse, server: AuthorizationServer = SERVER) -> TokenSet:
    return read_token_response(server, response, NOW)


def test_the_answer_of_section_5_1_is_read() -> None:
    tokens = read(
        answer(
            {
                **BEARER,
                "expires_in": 3600,
                "refresh_token": "tGzv3JOkF0XG5Qx2TlKWIA",
                "refresh_token_expires_in": 7775999,
                "scope": "spark:people_read spark:kms",
                "example_parameter": "example_value",
            }
        )
    )

    assert tokens == TokenSet(
        access_token=Secret("2YotnFZFEjr1zCsicMWpAA"),
        access_expires_at=NOW + 3600,
        refresh_token=Secret("tGzv3JOkF0XG5Qx2TlKWIA"),
        refresh_expires_at=NOW + 7775999,
        scopes=frozenset({"spark:people_read", "spark:kms"}),
    )


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"expires_in": None, "refresh_token": None, "scope": None},
        {"refresh_token": "", "scope": "", "error": None},
    ],
)
def test_what_is_not_said_is_not_known(members: dict[str, object]) -> None:
    tokens = read(answer({**BEARER, **members}))

    assert tokens == TokenSet(Secret("2YotnFZFEjr1zCsicMWpAA"), None, None, None, None)


@pytest.mark.parametrize(
    ("scope", "scopes"),
    [
        *((value, None) for value in (7, True, dict[str, str](), list[str](), "  ", "é")),
        (["a", "b"], {"a", "b"}),
        (["a", 7, None, "b c"], {"a"}),
        (" a  b ", {"a", "b"}),
        ("a\nb c", {"c"}),
        ('a"b c', {"c"}),
    ],
)
def test_what_is_no_scope_fails_no_sign_in(scope: object, scopes: set[str] | None) -> None:
    tokens = read(answer({**BEARER, "scope": scope}))

    assert tokens.scopes == scopes


@pytest.mark.parametrize("token_type", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_token_type_has_no_case(token_type: str) -> None:
    assert read(answer({**BEARER, "token_type": token_type})).access_token


def test_a_missing_token_type_is_accepted_where_the_server_is_known_for_it() -> None:
    server = replace(SERVER, may_omit_token_type=True)

    assert read(answer({"access_token": "abc"}), server).access_token == Secret("abc")


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        *((3600, 3600), ("3600", 3600), (3600.0, 3600), (1, 1), (1209599, 1209599)),
        *((beyond, 316_224_000) for beyond in (10**15, "99999999999999999999", 1e300)),
    ],
)
def test_a_lifetime_counts_from_the_request(stated: object, seconds: int) -> None:
    tokens = read(answer({**BEARER, "expires_in": stated, "refresh_token_expires_in": stated}))

    assert tokens.access_expires_at == tokens.refresh_expires_at == NOW + seconds


def test_the_last_of_a_repeated_name_counts() -> None:
    body = b'{"access_token":"a","access_token":"b","token_type":"Bearer"}'

    assert read(HttpResponse(200, JSON, body)).access_token == Secret("b")


def hostile(**members: object) -> bytes:
    return json.dumps({**BEARER, **members}).encode()


HOSTILE = {
    "nothing": b"",
    "a page": b"<!DOCTYPE html><title>Sign in</title>",
    "cut off": b'{"access_token":"abc","token_type":"Be',
    "followed by more": hostile() + b"{}",
    "null": b"null",
    "a number": b"3600",
    "an empty object": b"{}",
    "form encoded": b"access_token=abc&token_type=Bearer",
    "a byte order mark": b"\xef\xbb\xbf" + hostile(),
    "UTF-16": hostile().decode().encode("utf-16"),
    "Latin-1": '{"access_token":"abc","token_type":"Bearer","scope":"é"}'.encode("latin-1"),
    "half a surrogate": b'{"access_token":"abc\\ud800","token_type":"Bearer"}',
    "half a surrogate elsewhere": b'{"access_token":"abc","token_type":"Bearer","x":"\\udfff"}',
    "bottomless": b'{"access_token":"abc","token_type":"Bearer","x":' + b"[" * 60_000,
    "bottomless and closed": b'{"a":' * 60_000 + b"1" + b"}" * 60_000,
    "a number without end": b'{"access_token":"abc","expires_in":' + b"9" * 10_000 + b"}",
    "an exponent without end": b'{"access_token":"abc","token_type":"Bearer","expires_in":1e999}',
    "not a number": b'{"access_token":"abc","token_type":"Bearer","expires_in":NaN}',
    "a raw NUL": b'{"access_token":"a\x00c","token_type":"Bearer"}',
    "no access token": b'{"token_type":"Bearer","refresh_token":"abc"}',
    "access token null": hostile(access_token=None),
    "access token empty": hostile(access_token=""),
    "access token a number": hostile(access_token=12345),
    "access token with a line end": hostile(access_token="abc\r\nX-Evil: 1"),
    "access token too long": hostile(access_token="a" * (16 * 1024 + 1)),
    "refresh token a number": hostile(refresh_token=1),
    "refresh token with a line end": hostile(refresh_token="abc\n"),
    "token type missing": b'{"access_token":"abc"}',
    "token type null": hostile(token_type=None),
    "token type DPoP": hostile(token_type="DPoP"),
    "token type a list": hostile(token_type=["Bearer"]),
    "token type with a space": hostile(token_type="Bearer "),
    "lifetime zero": hostile(expires_in=0),
    "lifetime negative": hostile(expires_in=-1),
    "lifetime true": hostile(expires_in=True),
    "lifetime of half seconds": hostile(expires_in=3600.5),
    "lifetime in words": hostile(expires_in="one hour"),
    "lifetime signed": hostile(expires_in="+3600"),
    "lifetime empty": hostile(expires_in=""),
    "lifetime of other digits": hostile(expires_in="٣٦٠٠"),
    "lifetime of 5,000 digits": hostile(expires_in="9" * 5_000),
    "lifetime a list": hostile(expires_in=[3600]),
    "refresh lifetime negative": hostile(refresh_token_expires_in=-5),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_an_answer_that_breaks_the_protocol_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidResponse):
        read(HttpResponse(200, JSON, body))


@pytest.mark.parametrize("status", [400, 403])
@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"\xff", b"[" * 60_000, b'{"error":'], ids=repr
)
def test_a_refusal_that_cannot_be_read_is_no_refusal_of_the_grant(body: bytes, status: int) -> None:
    with pytest.raises(InvalidResponse):
        read(HttpResponse(status, JSON, body))


@pytest.mark.parametrize("status", [100, 201, 202, 204, 206, 301, 302, 303, 307, 308])
def test_a_redirect_or_another_success_is_refused(status: int) -> None:
    with pytest.raises(InvalidResponse):
        read(answer(BEARER, status))


@pytest.mark.parametrize(
    ("status", "members", "kind", "error"),
    [
        (400, {"error": "invalid_grant"}, InvalidGrant, "invalid_grant"),
        (401, {"error": "invalid_client"}, InvalidClient, "invalid_client"),
        (400, {"error": "invalid_client"}, InvalidClient, "invalid_client"),
        (401, {}, InvalidClient, "invalid_client"),
        (401, {"error": "invalid_grant"}, InvalidGrant, "invalid_grant"),
        (400, {"error": "invalid_scope"}, TokenRequestRefused, "invalid_scope"),
        (400, {"error": "invalid_request"}, TokenRequestRefused, "invalid_request"),
        (400, {"error": 7}, TokenRequestRefused, "status 400"),
        (400, {}, TokenRequestRefused, "status 400"),
        (404, {"error": ""}, TokenRequestRefused, "status 404"),
        (499, {}, TokenRequestRefused, "status 499"),
        (200, {"error": "invalid_grant"}, InvalidGrant, "invalid_grant"),
        (200, {"error": "slow_down", **BEARER}, TokenRequestRefused, "slow_down"),
    ],
)
def test_a_refusal_says_what_to_do(
    status: int, members: dict[str, object], kind: type[TokenError], error: str
) -> None:
    with pytest.raises(TokenError) as refusal:
        read(answer(members, status))

    assert (type(refusal.value), refusal.value.error) == (kind, error)


def test_the_description_of_a_refusal_is_one_line() -> None:
    members = {"error": "invalid_grant", "error_description": "a\r\nb\x1b[31m" + "c" * 10_000}

    with pytest.raises(InvalidGrant) as refusal:
        read(answer(members, 400))

    assert refusal.value.description == ("a b [31m" + "c" * 10_000)[:500]


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 599])
@pytest.mark.parametrize(
    ("header", "reference", "wait", "seconds"),
    [("x-reference", "R_1", {}, None), (None, None, {"retry-after": "9"}, 9)],
)
def test_a_server_that_failed_has_refused_nothing(
    status: int,
    header: str | None,
    reference: str | None,
    wait: dict[str, str],
    seconds: int | None,
) -> None:
    headers = {"x-reference": "R_1\n", **wait}
    response = HttpResponse(status, headers, b'{"error":"invalid_grant"}')

    with pytest.raises(ServerFailed) as failure:
        read(response, replace(SERVER, tracking_header=header))

    assert (failure.value.status, failure.value.tracking_id) == (status, reference)
    assert failure.value.retry_after_seconds == seconds


def test_a_throttled_request_says_when_to_come_back_whatever_its_body_is() -> None:
    response = HttpResponse(429, {"retry-after": "7", "content-type": "text/html"}, b"[" * 60_000)

    with pytest.raises(RateLimited) as failure:
        read(response)

    assert failure.value.retry_after_seconds == 7


@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
def test_a_refused_answer_leaves_no_token_in_its_traceback(name: str) -> None:
    response = answer({**BEARER, "refresh_token": "canary-2", name: "canary-1\n"})

    with pytest.raises(InvalidResponse) as refusal:
        read(response)

    shown = TracebackException.from_exception(refusal.value, capture_locals=True).format()
    assert "canary" not in "".join(shown)


def test_bytes_that_are_no_text_are_not_kept_by_the_error() -> None:
    with pytest.raises(InvalidResponse) as refusal:
        read(HttpResponse(200, JSON, b'{"access_token":"canary\xff","token_type":"Bearer"}'))

    assert refusal.value.__cause__ is None
    assert refusal.value.__context__ is None


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    ["access_token", "token_type", "expires_in", "refresh_token", "scope", "error"]
)


@given(st.dictionaries(NAMES, JSON_VALUES), st.sampled_from([200, 200, 400, 401, 500]))
def test_any_object_is_a_token_set_or_a_typed_error(
    members: dict[str, object], status: int
) -> None:
    try:
        tokens = read(answer({**BEARER, **members}, status))
    except WebexOAuthError:
        return

    assert status == 200
    assert tokens.access_token.reveal().isascii()


@pytest.mark.bound("scopes of a grant")
def test_the_scopes_of_an_answer_have_a_limit() -> None:
    tokens = read(answer({**BEARER, "scope": " ".join(f"s:{at}" for at in range(5_000))}))

    assert tokens.scopes == frozenset(f"s:{at}" for at in range(MAX_SCOPES))


TOKENS = st.sampled_from(["one", "two", "three"]).map(Secret)
INSTANTS = st.none() | st.integers(0, 2**40)
SCOPES = st.none() | st.frozensets(st.sampled_from(["a", "b", "c"]))
TOKEN_SETS = st.builds(TokenSet, TOKENS, INSTANTS, st.none() | TOKENS, INSTANTS, SCOPES)
OLD = TokenSet(Secret("a1"), 100, Secret("r1"), 900, frozenset({"a"}))
NEW = TokenSet(Secret("a2"), 200, Secret("r2"), 990, frozenset({"b"}))


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, {}),
        (
            {"refresh_token": None, "refresh_expires_at": None},
            {"refresh_token": Secret("r1"), "refresh_expires_at": 900},
        ),
        ({"refresh_token": None}, {"refresh_token": Secret("r1"), "refresh_expires_at": 990}),
        ({"refresh_token": Secret("r1"), "refresh_expires_at": None}, {"refresh_expires_at": 900}),
        ({"refresh_expires_at": None}, {"refresh_expires_at": None}),
        ({"access_expires_at": None}, {"access_expires_at": None}),
        ({"scopes": None}, {"scopes": frozenset({"a"})}),
    ],
)
def test_a_refresh_keeps_what_it_leaves_out_and_belongs_to_the_token_that_stays(
    changes: dict[str, Any], kept: dict[str, Any]
) -> None:
    new = replace(NEW, **changes)

    assert merge_tokens(OLD, new) == replace(new, **kept)


@given(TOKEN_SETS, TOKEN_SETS)
def test_a_refresh_loses_neither_refresh_token_nor_scopes_and_merging_twice_changes_nothing(
    old: TokenSet, new: TokenSet
) -> None:
    merged = merge_tokens(old, new)

    assert merged.access_token == new.access_token
    assert (merged.refresh_token is None) is (old.refresh_token is new.refresh_token is None)
    assert (merged.scopes is None) is (old.scopes is new.scopes is None)
    assert merge_tokens(old, merged) == merged
    assert merge_tokens(merged, merged) == merged
