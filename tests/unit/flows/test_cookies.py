"""Cookies: what a browser presents is judged, and what it is given is pinned and bounded."""

from http.cookies import SimpleCookie

import pytest
from hypothesis import given, strategies as st

from webex_oauth.flows.cookies import MAX_ATTEMPT_BYTES, MAX_ATTEMPTS, CookieJar, read_cookies
from webex_oauth.oauth.server import Client
from webex_oauth.secret import Secret

NOW = 1_800_000_000
ATTEMPT_ID = "0123456789abcdef"
MAX_HEADER_BYTES = 4096


def jar(redirect_uri: str, client_id: str = "C1") -> CookieJar:
    return CookieJar(Client(client_id, Secret(""), redirect_uri))


PLAIN, PINNED = jar("http://localhost:8080/oauth"), jar("https://spaces.example/oauth")
SESSION, ATTEMPT = PLAIN.session_name, PLAIN.attempt_prefix
ATTEMPT_NAMES = st.text("0123456789abcdef", min_size=15, max_size=17).map(ATTEMPT.__add__)


def id_of_attempt(number: int) -> str:
    """Return an id that says nothing of the order: here the later one is the smaller one."""
    return f"{0xFFFF - number:016x}"


def browser_after(count: int, attempt: Secret = Secret("s" * 400)) -> dict[str, str]:  # noqa: B008 - a Secret never changes
    """Return what a browser presents after so many sign-ins were begun and none was finished."""
    presented: dict[str, str] = {}
    for number in range(count):
        kept = PLAIN.kept_attempt(presented, id_of_attempt(number), attempt, NOW + number)
        for header in list(kept):
            for name, morsel in SimpleCookie(header).items():
                presented.pop(name, None)
                if morsel["max-age"] != "0":
                    presented[name] = morsel.value
    return presented


def test_a_session_comes_back_as_it_was_given() -> None:
    pair = PLAIN.kept_session(Secret("the-id"), 60).partition(";")[0]

    presented = read_cookies([(b"cookie", pair.encode())])
    assert PLAIN.session_id(presented) == Secret("the-id")


@pytest.mark.parametrize(
    ("headers", "presented"),
    [
        ([], {}),
        ([(b"cookie", b"a=1; b=2")], {"a": "1", "b": "2"}),
        ([(b"cookie", b"a=1"), (b"accept", b"c=3"), (b"cookie", b"b=2")], {"a": "1", "b": "2"}),
        ([(b"cookie", b"a=1=2;b= 3 ")], {"a": "1=2", "b": "3"}),
        ([(b"cookie", b'a="1"; b=%31')], {"a": '"1"', "b": "%31"}),
        ([(b"cookie", b"a; b=2; =3")], {"b": "2"}),
        ([(b"cookie", b"a=1;\tb=2\t;c=3")], {"a": "1", "b": "2", "c": "3"}),
        ([(b"cookie", b"a=\xff")], {"a": "\xff"}),
    ],
)
def test_cookies_are_read_as_they_came(
    headers: list[tuple[bytes, bytes]], presented: dict[str, str]
) -> None:
    assert read_cookies(headers) == presented


@pytest.mark.check("D03")
@pytest.mark.parametrize("around", ["\x85", "\xa0", "\x0b", "\x0c", "\x1c", "\x1f", "\xad", "\0"])
def test_a_name_that_browsers_read_differently_does_not_count(around: str) -> None:
    """A sibling host may plant such a name with a Domain; only ours is bound to this host."""
    name = PINNED.session_name
    headers = [f"{around}{name}=planted", f"{name}{around}=planted", f"{name} x=planted"]

    presented = [read_cookies([(b"cookie", one.encode("latin-1"))]) for one in headers]

    assert [PINNED.session_id(one) for one in presented] == [None] * len(headers)


@pytest.mark.check("D03")
@pytest.mark.parametrize("between", ["; ", ";", ";\t", "; a=1; "])
def test_two_cookies_of_one_name_count_as_none(between: str) -> None:
    name = PINNED.session_name
    one, other = f"{name}=mine".encode(), f"{name}=planted".encode()

    together = read_cookies([(b"cookie", between.encode().join((one, other)))])
    apart = read_cookies([(b"cookie", one), (b"cookie", other)])

    assert PINNED.session_id(together) is PINNED.session_id(apart) is None


@pytest.mark.check("D03")
def test_applications_on_one_host_have_names_of_their_own() -> None:
    first = "http://localhost:8080/oauth"
    jars = [
        jar(first),
        jar(first, client_id="C2"),
        jar("http://localhost:8081/oauth"),
        jar("http://localhost:8080/other/oauth"),
        jar("https://localhost:8080/oauth"),
    ]

    assert len({one.session_name for one in jars}) == len(jars)
    assert len({one.attempt_prefix for one in jars}) == len(jars)
    assert jar(first).session_name == jars[0].session_name
    assert jar("HTTPS://spaces.example/oauth").session_name.startswith("__Host-")


@pytest.mark.check("D06")
def test_signing_out_leaves_the_cookies_of_a_neighbour() -> None:
    neighbour = jar("http://localhost:8081/oauth")
    presented = {neighbour.session_name: "theirs", f"{neighbour.attempt_prefix}{ATTEMPT_ID}": "1.s"}
    dropped = PLAIN.all_dropped(presented)

    assert [header.partition("=")[0] for header in dropped] == [SESSION]


@pytest.mark.check("D03")
def test_a_cookie_behind_tls_is_pinned_to_this_host() -> None:
    assert PINNED.kept_session(Secret("the-id"), 60) == (
        f"{PINNED.session_name}=the-id; HttpOnly; Max-Age=60; Path=/; SameSite=lax; Secure"
    )
    assert PINNED.session_name.startswith("__Host-")


def test_a_cookie_on_plain_http_is_one_that_every_browser_takes_there() -> None:
    assert PLAIN.kept_session(Secret("the-id"), 60) == (
        f"{PLAIN.session_name}=the-id; HttpOnly; Max-Age=60; Path=/; SameSite=lax"
    )
    assert PLAIN.session_name.startswith("webex_oauth_session_")
    assert PLAIN.attempt_prefix.startswith("webex_oauth_attempt_")


@pytest.mark.check("D03")
def test_a_cookie_without_the_prefix_counts_for_nothing_behind_tls() -> None:
    session, attempt = (
        name.removeprefix("__Host-") for name in (PINNED.session_name, PINNED.attempt_prefix)
    )

    assert PINNED.session_id({session: "planted by a sibling host"}) is None
    assert PINNED.attempt({attempt + ATTEMPT_ID: "1.planted"}, ATTEMPT_ID) is None


@pytest.mark.check("D08")
def test_an_attempt_is_not_a_session() -> None:
    presented = {ATTEMPT + ATTEMPT_ID: "1.secret"}

    assert PLAIN.session_id(presented) is None
    assert PLAIN.attempt(presented, ATTEMPT_ID) == Secret("secret")


@pytest.mark.check("A05")
@pytest.mark.parametrize("count", [1, MAX_ATTEMPTS, MAX_ATTEMPTS + 1, 100])
def test_a_browser_keeps_the_newest_attempts_and_a_small_header(count: int) -> None:
    presented = browser_after(count)

    newest = [f"{ATTEMPT}{id_of_attempt(number)}" for number in range(count)][-MAX_ATTEMPTS:]
    assert list(presented) == newest
    assert sum(len(name) + len(value) for name, value in presented.items()) < MAX_HEADER_BYTES


@pytest.mark.bound("sign-ins under way in a browser")
def test_long_attempts_leave_room_for_fewer_of_them() -> None:
    presented = browser_after(9, Secret("s" * 1_500))

    newest = [f"{ATTEMPT}{id_of_attempt(number)}" for number in (7, 8)]
    assert list(presented) == newest
    assert sum(map(len, (*presented, *presented.values()))) <= MAX_ATTEMPT_BYTES


@pytest.mark.parametrize("value", ["", "s", ".s", "-1.s", f"{2**60:x}.s", "é.s"])
def test_an_attempt_of_unknown_age_is_dropped_first(value: str) -> None:
    unknown = ATTEMPT + "f" * 16
    presented = browser_after(MAX_ATTEMPTS - 1) | {unknown: value}

    cookies = PLAIN.kept_attempt(presented, ATTEMPT_ID, Secret("s"), NOW)

    kept, *dropped = [cookie.partition("=")[0] for cookie in cookies]
    assert (kept, dropped) == (ATTEMPT + ATTEMPT_ID, [unknown])


def test_signing_out_takes_everything_back() -> None:
    presented = browser_after(3) | {SESSION: "the-id", "another": "application's"}

    cookies = list(PLAIN.all_dropped(presented))

    assert {cookie.partition("=")[0] for cookie in cookies} == presented.keys() - {"another"}
    assert all("=; HttpOnly; Max-Age=0; " in cookie for cookie in cookies)


@pytest.mark.check("I07", "E11")
@given(st.binary(max_size=500))
def test_whatever_a_browser_presents_is_read_without_a_failure(header: bytes) -> None:
    presented = read_cookies([(b"cookie", header)])

    PLAIN.session_id(presented)
    PLAIN.attempt(presented, ATTEMPT_ID)
    kept = PLAIN.kept_attempt(presented, ATTEMPT_ID, Secret("s"), NOW)
    cookies = [*kept, *PLAIN.all_dropped(presented)]

    assert not [cookie for cookie in cookies if set(cookie) & set("\r\n\0")]


@pytest.mark.check("I07")
@given(st.dictionaries(ATTEMPT_NAMES, st.text(max_size=40)))
def test_strange_attempts_never_push_out_more_than_they_must(presented: dict[str, str]) -> None:
    cookies = PLAIN.kept_attempt(presented, ATTEMPT_ID, Secret("s"), NOW)

    dropped = [cookie for cookie in cookies if "Max-Age=0" in cookie]
    assert len(dropped) == max(0, len(well_named(presented)) - (MAX_ATTEMPTS - 1))


def well_named(presented: dict[str, str]) -> list[str]:
    length = len(ATTEMPT) + len(ATTEMPT_ID)
    return [name for name in presented if len(name) == length]


@pytest.mark.parametrize("value", ["a b", "a;b", "a\r\nset-cookie: b", "é", '"', "a,b"])
def test_a_value_that_could_change_the_header_is_never_written(value: str) -> None:
    with pytest.raises(ValueError, match="a cookie's value"):
        PLAIN.kept_session(Secret(value), 60)
