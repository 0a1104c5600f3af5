"""The list of spaces: any title reads back as it was, the document is whole, the filter finds."""

import asyncio
import unicodedata
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis.strategies import builds, characters, datetimes, lists, none, sampled_from, text
from msgspec import Raw
from msgspec.structs import replace
from starlette.requests import ClientDisconnect
from starlette.types import Message
from unit.web.document import Document
from unit.web.example_pages import (
    ALL_ROOMS,
    CUT_SHORT,
    GIVEN,
    MIRA,
    NO_MATCH,
    NO_ROOMS,
    ROOMS_PAGES,
    SOME_ROOMS,
    pages,
    rendered,
)
from waiting import LIMIT_SECONDS

from webex_oauth.emulator.world import HOSTILE_TITLES
from webex_oauth.secret import Secret
from webex_oauth.web.listrooms import RoomsPage, _folded, _Stream, room_rows
from webex_oauth.web.rendering import KEPT_PAGES, NAME, ROWS, TOKEN, About, Assets, Layout, Pages
from webex_oauth.webex.rooms import FieldErrors, Room

ANY_TEXT = text()
WRITABLE_TITLES = text(characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
MARKUP_TITLES = text(sampled_from("<>&'\"/=;!-#x0 \r\n\tabdi"), min_size=1)
REGULAR_INSTANTS = datetimes().map(lambda at: at.isoformat(timespec="milliseconds") + "Z")
ROOMS = builds(
    Room,
    id=text("abc"),
    title=none() | ANY_TEXT,
    type=none() | sampled_from(["direct", "group"]) | ANY_TEXT,
    last_activity=none() | REGULAR_INSTANTS | ANY_TEXT,
)


def room(
    title: str | None,
    type_: str | None = "group",
    last_activity: str | None = "2026-03-02T10:05:01.337Z",
) -> Room:
    """Return a room of which nothing but its row matters."""
    return Room(id="id", title=title, type=type_, last_activity=last_activity)


def cells(rooms: list[Room]) -> list[tuple[str, str, str]]:
    """Read the rows back: title, type and last activity of each."""
    document = Document(room_rows(rooms))
    kinds_and_activities = document.texts("td")
    return list(
        zip(
            document.texts("bdi"),
            kinds_and_activities[0::2],
            kinds_and_activities[1::2],
            strict=True,
        )
    )


@settings(deadline=None)
@given(lists((WRITABLE_TITLES | MARKUP_TITLES).filter(str.strip)))
def test_any_title_reads_back_exactly(titles: list[str]) -> None:
    rows = cells([room(title) for title in titles])

    assert [title for title, _, _ in rows] == titles


@settings(deadline=None)
@given(lists(ROOMS, min_size=1))
def test_no_room_adds_an_element_or_loses_a_row(rooms: list[Room]) -> None:
    document = Document(room_rows(rooms))

    names = {element.name for element in document.elements}
    assert names <= {"tr", "th", "td", "bdi", "time", "em"}
    assert len(document.named("tr")) == len(document.named("bdi")) == len(rooms)
    assert len(document.named("td")) == 2 * len(rooms)
    attributes = {(), ("role",), ("role", "scope"), ("datetime",)}
    assert {tuple(e.attributes) for e in document.elements} <= attributes


@pytest.mark.parametrize("title", HOSTILE_TITLES)
def test_a_hostile_title_is_text(title: str) -> None:
    ((shown, kind, _),) = cells([room(title)])

    assert shown == (title.replace("\0", "\ufffd") if title.strip() else "No title")
    assert kind == "Space"


def test_there_are_hostile_titles_enough() -> None:
    assert len(set(HOSTILE_TITLES)) >= 55


def test_a_title_with_the_separator_moves_no_other_title() -> None:
    rows = cells([room("a\0b"), room("c"), room("\0")])

    assert [title for title, _, _ in rows] == ["a\ufffdb", "c", "\ufffd"]


def test_a_title_that_utf_8_cannot_write_is_shown_in_part() -> None:
    ((title, _, _),) = cells([room("half \ud83d emoji")])

    assert title == "half ? emoji"


def test_a_title_that_webex_could_not_decrypt_is_said_to_be_so() -> None:
    unreadable = Room(id="id", errors=FieldErrors(title=Raw(b"{}")))
    rows = cells([unreadable, room(None), room(""), room("Launch")])

    assert [title for title, _, _ in rows] == [
        "Webex could not decrypt this title",
        "No title",
        "No title",
        "Launch",
    ]


@pytest.mark.parametrize("title", ["", " ", "\r\n\t", "\u3000\u00a0\u2003"])
def test_a_title_of_blanks_is_said_to_be_none(title: str) -> None:
    rows = cells([room(title), room(" Launch ")])

    assert [title for title, _, _ in rows] == ["No title", " Launch "]


def test_types_are_told_in_words_and_new_ones_as_they_came() -> None:
    rooms = [room("a", kind) for kind in ("direct", "group", "<new>", None)]

    assert [kind for _, kind, _ in cells(rooms)] == ["Person", "Space", "<new>", "unknown"]


@pytest.mark.parametrize(
    ("last_activity", "machine", "words"),
    [
        ("2026-03-02T10:05:01.337Z", "2026-03-02T10:05:01.337Z", "2026-03-02 10:05 UTC"),
        ("2016-04-21T19:12:48.920+00:00", "2016-04-21T19:12:48.920Z", "2016-04-21 19:12 UTC"),
        ("2016-04-21T19:12:48Z", "2016-04-21T19:12:48.000Z", "2016-04-21 19:12 UTC"),
        ("2016-04-21T01:12:48+02:00", "2016-04-20T23:12:48.000Z", "2016-04-20 23:12 UTC"),
        ("0005-01-01T00:00:00Z", "0005-01-01T00:00:00.000Z", "0005-01-01 00:00 UTC"),
    ],
)
def test_the_last_activity_is_told_to_people_and_machines(
    last_activity: str, machine: str, words: str
) -> None:
    (time,) = Document(room_rows([room("a", "group", last_activity)])).named("time")

    assert (time.attributes["datetime"], time.text) == (machine, words)


@pytest.mark.parametrize(
    "last_activity",
    [
        None,
        "",
        "yesterday",
        "2026-03-02T10:05:01",
        "0000-00-00T00:00:00.000Z",
        "0001-01-01T00:00:00+23:59",
        "<script>",
        "\uff12\uff10\uff12\uff16-03-02T10:05:01.337Z",
    ],
)
def test_a_last_activity_that_cannot_be_read_is_unknown(last_activity: str | None) -> None:
    rows = cells([room("a"), room("b", "group", last_activity)])

    assert [activity for _, _, activity in rows] == ["2026-03-02 10:05 UTC", "unknown"]


@settings(deadline=None)
@given(lists(REGULAR_INSTANTS, min_size=1))
def test_one_odd_instant_changes_no_other_row(instants: list[str]) -> None:
    rooms = [room("a", "group", instant) for instant in instants]

    mixed = cells([*rooms, room("b", "group", "odd")])

    assert mixed[:-1] == cells(rooms)


def test_no_more_rows_are_made_once_the_browser_has_left() -> None:
    async def run() -> list[bytes]:
        is_waiting, has_left, sent = asyncio.Event(), asyncio.Event(), list[bytes]()

        async def rows() -> AsyncIterator[bytes]:
            yield b"row"
            is_waiting.set()
            await asyncio.Event().wait()

        async def receive() -> Message:
            await has_left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message.get("body", b"head"))

        streaming = asyncio.create_task(_Stream(rows())({"type": "http"}, receive, send))
        await is_waiting.wait()
        has_left.set()
        with pytest.raises(ClientDisconnect):
            await asyncio.wait_for(streaming, LIMIT_SECONDS)
        return sent

    assert asyncio.run(run()) == [b"head", b"row"]


@pytest.mark.parametrize("page", ROOMS_PAGES)
@pytest.mark.parametrize("count", [0, 1, 3])
def test_opening_rows_and_closing_are_one_document(page: RoomsPage, count: int) -> None:
    rows = [room_rows([room("Launch")]) for _ in range(count)]
    opening, _ = pages().around_rows(NO_ROOMS, MIRA)
    _, closing = pages().around_rows(page, MIRA)

    document = Document(b"".join([opening, *rows, closing]))

    assert document.texts("h1") == ["Your spaces"]
    assert len(document.named("tr")) == count + 1
    (form,) = (form for form in document.named("form") if form.attributes["method"] == "get")
    assert form.attributes["action"] == "/listrooms"


@settings(deadline=None)
@given(name=none() | ANY_TEXT | MARKUP_TITLES | sampled_from([NAME, TOKEN, ROWS]).map(str))
def test_a_page_that_is_kept_gets_nobody_elses_name_or_token(name: str | None) -> None:
    layout = Layout(Secret("token<&"), name)

    document = ROWS.encode().join(pages().around_rows(ALL_ROOMS, layout))

    assert document == pages().render(ALL_ROOMS, layout)


@pytest.mark.bound("pages that are kept")
def test_pages_that_differ_in_their_counts_are_kept_up_to_the_bound() -> None:
    keeping = Pages(Assets.packaged(), About("webex-oauth"))

    for count in range(KEPT_PAGES + 5):
        keeping.around_rows(replace(ALL_ROOMS, shown_count=count, total_count=count), MIRA)

    assert keeping._anyones_page.cache_info().currsize == KEPT_PAGES


def test_the_table_stays_empty_until_the_first_row() -> None:
    opening, closing = pages().around_rows(NO_ROOMS, MIRA)

    html = opening + room_rows([]) + closing

    assert b'data-filter=""></tbody>' in html


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (ALL_ROOMS, "2 spaces in all."),
        (SOME_ROOMS, "1 of 2 spaces."),
        (NO_MATCH, "None of the 2 spaces has “launch” in the title."),
        (NO_ROOMS, "You are not in any space yet."),
        (CUT_SHORT, "2 spaces so far."),
        (CUT_SHORT, "The list ends early: Webex took too long"),
        (CUT_SHORT, "Reference: 3f9a2c71d0"),
    ],
)
def test_the_end_says_what_the_list_holds(page: RoomsPage, words: str) -> None:
    (main,) = rendered(page).texts("main")

    assert words in main


def test_an_interrupted_list_can_be_loaded_again() -> None:
    links = {link.text: link.attributes["href"] for link in rendered(CUT_SHORT).named("a")}

    assert links["Load the list again"] == f"{GIVEN}?filter=a&again"


def test_the_filter_is_in_its_box_and_in_the_title() -> None:
    document = rendered(SOME_ROOMS)

    (box,) = (e for e in document.named("input") if e.attributes.get("name") == "filter")
    assert box.attributes["value"] == "launch"
    assert document.texts("title") == ["“launch” · Your spaces · webex-oauth"]


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("team", "TEAM Blue"),
        ("STRASSE", "Hauptstraße"),
        ("\uff54\uff45\uff41\uff4d", "Team"),
        ("Cafe\u0301", "Café"),
        ("\ufb01nance", "Finance"),
        ("①", "Room 1"),
    ],
)
def test_a_title_is_found_however_it_is_typed(typed: str, title: str) -> None:
    assert _folded(typed) in _folded(title)


@pytest.mark.parametrize(
    ("typed", "title"), [("team", "tea"), ("e", "a"), (".*", "Team"), ("%", "a")]
)
def test_another_title_is_not_found(typed: str, title: str) -> None:
    assert _folded(typed) not in _folded(title)


@pytest.mark.check("I07")
@given(text())
def test_every_title_is_found_by_itself_and_by_its_other_spellings(title: str) -> None:
    folded = _folded(title)

    assert folded == _folded(unicodedata.normalize("NFC", title))
    assert folded == _folded(unicodedata.normalize("NFD", title))


@pytest.mark.check("I07")
@given(text(), text(), text())
def test_a_part_of_a_folded_title_is_found(before: str, typed: str, after: str) -> None:
    title = f"{before} {typed} {after}"

    assert _folded(typed).strip() in _folded(title)
