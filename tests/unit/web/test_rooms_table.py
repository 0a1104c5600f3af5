"""The list of spaces: any title comes back as it was, and the document is whole."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis.strategies import builds, characters, datetimes, lists, none, sampled_from, text
from jinja2 import Template
from unit.web.document import Document
from unit.web.specimens import (
    ALL_ROOMS,
    CUT_SHORT,
    NO_MATCH,
    NO_ROOMS,
    ROOMS_PAGES,
    SOME_ROOMS,
    SampleRoom,
)

from webex_oauth.emulator.seed import HOSTILE_TITLES
from webex_oauth.secret import Secret
from webex_oauth.web.rendering import (
    NAME,
    ROWS,
    TEMPLATE_BY_VIEW,
    TOKEN,
    Assets,
    Pages,
    page_environment,
)
from webex_oauth.web.rooms_table import room_rows
from webex_oauth.web.views import Account, Frame, RoomsPage

ANY_TEXT = text()
WRITABLE_TITLES = text(characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
MARKUP_TITLES = text(sampled_from("<>&'\"/=;!-#x0 \r\n\tabdi"), min_size=1)
REGULAR_INSTANTS = datetimes().map(lambda at: at.isoformat(timespec="milliseconds") + "Z")
SAMPLE_ROOMS = builds(
    SampleRoom,
    title=none() | ANY_TEXT,
    type=none() | sampled_from(["direct", "group"]) | ANY_TEXT,
    last_activity=none() | REGULAR_INSTANTS | ANY_TEXT,
)


@pytest.fixture(scope="session")
def template(assets: Assets) -> Template:
    return page_environment(assets).get_template(TEMPLATE_BY_VIEW[RoomsPage])


def cells(rooms: list[SampleRoom]) -> list[tuple[str, str, str]]:
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
    rows = cells([SampleRoom(title) for title in titles])

    assert [title for title, _, _ in rows] == titles


@settings(deadline=None)
@given(lists(SAMPLE_ROOMS, min_size=1))
def test_no_room_adds_an_element_or_loses_a_row(rooms: list[SampleRoom]) -> None:
    document = Document(room_rows(rooms))

    names = {element.name for element in document.elements}
    assert names <= {"tr", "th", "td", "bdi", "time", "em"}
    assert len(document.named("tr")) == len(document.named("bdi")) == len(rooms)
    assert len(document.named("td")) == 2 * len(rooms)
    attributes = {(), ("role",), ("role", "scope"), ("datetime",)}
    assert {tuple(e.attributes) for e in document.elements} <= attributes


@pytest.mark.parametrize("title", HOSTILE_TITLES)
def test_a_hostile_title_is_text(title: str) -> None:
    ((shown, kind, _),) = cells([SampleRoom(title)])

    assert shown == (title.replace("\0", "\ufffd") if title.strip() else "No title")
    assert kind == "Group"


def test_there_are_hostile_titles_enough() -> None:
    assert len(set(HOSTILE_TITLES)) >= 55


def test_a_title_with_the_separator_moves_no_other_title() -> None:
    rows = cells([SampleRoom("a\0b"), SampleRoom("c"), SampleRoom("\0")])

    assert [title for title, _, _ in rows] == ["a\ufffdb", "c", "\ufffd"]


def test_a_title_that_utf_8_cannot_write_is_shown_in_part() -> None:
    ((title, _, _),) = cells([SampleRoom("half \ud83d emoji")])

    assert title == "half ? emoji"


def test_a_title_that_webex_could_not_decrypt_is_said_to_be_so() -> None:
    unreadable = SampleRoom(None, is_title_unreadable=True)
    rows = cells([unreadable, SampleRoom(None), SampleRoom(""), SampleRoom("Launch")])

    assert [title for title, _, _ in rows] == [
        "Webex could not decrypt this title",
        "No title",
        "No title",
        "Launch",
    ]


@pytest.mark.parametrize("title", ["", " ", "\r\n\t", "\u3000\u00a0\u2003"])
def test_a_title_of_blanks_is_said_to_be_none(title: str) -> None:
    rows = cells([SampleRoom(title), SampleRoom(" Launch ")])

    assert [title for title, _, _ in rows] == ["No title", " Launch "]


def test_types_are_told_in_words_and_new_ones_as_they_came() -> None:
    rooms = [SampleRoom("a", kind) for kind in ("direct", "group", "<new>", None)]

    assert [kind for _, kind, _ in cells(rooms)] == ["Direct", "Group", "<new>", "unknown"]


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
    (time,) = Document(room_rows([SampleRoom("a", "group", last_activity)])).named("time")

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
    rows = cells([SampleRoom("a"), SampleRoom("b", "group", last_activity)])

    assert [activity for _, _, activity in rows] == ["2026-03-02 10:05 UTC", "unknown"]


@settings(deadline=None)
@given(lists(REGULAR_INSTANTS, min_size=1))
def test_one_odd_instant_changes_no_other_row(instants: list[str]) -> None:
    rooms = [SampleRoom("a", "group", instant) for instant in instants]

    mixed = cells([*rooms, SampleRoom("b", "group", "odd")])

    assert mixed[:-1] == cells(rooms)


@pytest.mark.parametrize("page", ROOMS_PAGES)
@pytest.mark.parametrize("count", [0, 1, 3])
def test_opening_rows_and_closing_are_one_document(
    pages: Pages, page: RoomsPage, count: int
) -> None:
    rows = [room_rows([SampleRoom("Launch")]) for _ in range(count)]
    opening, _ = pages.around_rows(NO_ROOMS)
    _, closing = pages.around_rows(page)

    document = Document(b"".join([opening, *rows, closing]))

    assert document.texts("h1") == ["Your spaces"]
    assert len(document.named("tr")) == count + 1
    (form,) = (form for form in document.named("form") if form.attributes["method"] == "get")
    assert form.attributes["action"] == "/listrooms"


@settings(deadline=None)
@given(name=none() | ANY_TEXT | MARKUP_TITLES | sampled_from([NAME, TOKEN, ROWS]).map(str))
def test_what_is_kept_of_a_page_gets_nobody_elses_name_or_token(
    pages: Pages, template: Template, name: str | None
) -> None:
    frame = Frame(Account(name), Secret("token<&"), is_emulator=True, is_debugging=False)
    page = replace(ALL_ROOMS, frame=frame)

    document = ROWS.encode().join(pages.around_rows(page))

    assert document == template.render(page=page).encode("utf-8", "replace")


def test_the_table_stays_empty_until_the_first_row(pages: Pages) -> None:
    opening, closing = pages.around_rows(NO_ROOMS)

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
def test_the_end_says_what_the_list_holds(pages: Pages, page: RoomsPage, words: str) -> None:
    (main,) = Document(b"".join(pages.around_rows(page))).texts("main")

    assert words in main


def test_an_interrupted_list_can_be_loaded_again(pages: Pages) -> None:
    document = Document(b"".join(pages.around_rows(CUT_SHORT)))

    links = {link.text: link.attributes["href"] for link in document.named("a")}

    assert links["Load the list again"] == "/listrooms?filter=a&again"


def test_the_filter_stands_in_its_box(pages: Pages) -> None:
    document = Document(b"".join(pages.around_rows(SOME_ROOMS)))

    (box,) = (e for e in document.named("input") if e.attributes.get("name") == "filter")

    assert box.attributes["value"] == "launch"
