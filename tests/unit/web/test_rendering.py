"""Every page: complete, safe, and what its view says; and the files that pages load."""

import hashlib
import re
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis.strategies import integers, text
from jinja2 import Environment, PackageLoader, UndefinedError, nodes
from msgspec.structs import fields, replace
from unit.web.document import Document
from unit.web.example_pages import (
    APPLICATIONS,
    EMULATOR,
    FAILURE_PAGE,
    GIVEN,
    GRANT,
    MIRA,
    NAMELESS,
    OTHER_SESSION,
    OTHER_WEBEX,
    PAGES,
    PEOPLE_READ,
    PICTURED,
    PROFILE,
    ROOMS_READ,
    SOME_ROOMS,
    STRANGER,
    THIS_SESSION,
    UNNAMED,
    WEBEX,
    WITH_HELP,
    pages,
    rendered,
    with_text,
)

from webex_oauth.emulator.world import HOSTILE_TITLES
from webex_oauth.flows.failures import FAILURES
from webex_oauth.flows.sessions import TokenFate
from webex_oauth.settings.pages import PagePath
from webex_oauth.vault.rows import LAST_INSTANT
from webex_oauth.web.application import CACHED_FOR_GOOD
from webex_oauth.web.failure_page import FailurePage
from webex_oauth.web.home import HomePage, PersonPage
from webex_oauth.web.rendering import (
    ROWS,
    About,
    Assets,
    Layout,
    View,
    duration_text,
    initials,
    page_environment,
    utc_datetime,
    utc_text,
)
from webex_oauth.web.sessions import SessionsPage, SignedOutPage
from webex_oauth.webex.scopes import describe

PUBLISHED_WATER_CSS = "4124fdd16cf3e0f12be4a95c95068e0ac8dcd34153c9ff3a5ab8f8d68a99078c"
BELOW = About("webex-oauth", base="/webex/")
WEBEX_STATUS = "https://status.webex.com/"
VIEWS = list(dict.fromkeys(type(view) for view, _ in PAGES))
ASSETS = Assets.packaged()
EXAMPLES = pytest.mark.parametrize(
    ("view", "layout"), PAGES, ids=[type(view).__name__ for view, _ in PAGES]
)
APPLICATION = pytest.mark.parametrize("about", APPLICATIONS, ids=range(len(APPLICATIONS)))


def fields_used_by(environment: Environment, name: str) -> set[str]:
    """Return the fields of the view that a template and those it extends use."""
    assert environment.loader is not None
    tree = environment.parse(environment.loader.get_source(environment, name)[0])
    used = {
        node.attr
        for node in tree.find_all(nodes.Getattr)
        if isinstance(node.node, nodes.Name) and node.node.name == "page"
    }
    for parent in tree.find_all(nodes.Extends):
        assert isinstance(parent.template, nodes.Const)
        used |= fields_used_by(environment, parent.template.value)
    return used


def test_every_view_has_a_template_of_its_own_and_an_example() -> None:
    names = PackageLoader("webex_oauth.web").list_templates()
    files = {name for name in names if len(PurePath(name).parts) == 1}

    assert {view.template for view in View.__subclasses__()} == {view.template for view in VIEWS}
    assert {*(view.template for view in VIEWS), "layout.html"} == files
    assert len({view.template for view in VIEWS}) == len(VIEWS)


@pytest.mark.parametrize("view", VIEWS)
def test_a_template_uses_every_field_of_its_view_and_no_other(view: type[View]) -> None:
    used = fields_used_by(page_environment(ASSETS, WEBEX), view.template)

    assert used == {field.name for field in fields(view)}


def test_a_name_that_a_view_does_not_have_is_an_error() -> None:
    template = page_environment(ASSETS, WEBEX).from_string("{{ page.nothing }}")

    with pytest.raises(UndefinedError):
        template.render(page=PAGES[0][0])


@EXAMPLES
@APPLICATION
def test_a_page_is_one_whole_document(view: View, layout: Layout, about: About) -> None:
    html = pages(about).render(view, layout)

    document = Document(html)
    assert html.startswith(b"<!doctype html>\n<html lang=")
    assert html.endswith(b"</html>")
    for name in ("html", "head", "title", "header", "main", "h1", "footer"):
        assert len(document.named(name)) == 1, name


@EXAMPLES
@APPLICATION
def test_nothing_is_inline_and_nothing_comes_from_elsewhere(
    view: View, layout: Layout, about: About
) -> None:
    document = rendered(view, layout, about)

    assert not document.named("style")
    assert all(
        script.text == "" and "src" in script.attributes for script in document.named("script")
    )
    for element in document.elements:
        assert not [name for name in element.attributes if name == "style" or name.startswith("on")]
        for name in {"src", "href", "action"} & set(element.attributes):
            address = element.attributes[name]
            if element.name == "a" and address in {about.help_url, WEBEX_STATUS}:
                continue
            assert address is not None
            assert address == "" or address.startswith(("/", "#"))
            assert not address.startswith("//")


@EXAMPLES
def test_every_link_and_form_leads_to_a_page_that_there_is(view: View, layout: Layout) -> None:
    document = rendered(view, layout, BELOW)

    addresses = [e.attributes.get("href") for e in document.named("a")]
    addresses += [e.attributes["action"] for e in document.named("form")]
    links = {one.partition("?")[0] for one in addresses if one and one.startswith("/")}
    assert links <= {BELOW.path(page) for page in PagePath} | {GIVEN}


@EXAMPLES
def test_every_form_that_posts_carries_the_csrf_token_once(view: View, layout: Layout) -> None:
    document = rendered(view, layout)

    posting = [form for form in document.named("form") if form.attributes["method"] == "post"]
    tokens = [e for e in document.named("input") if e.attributes.get("name") == "csrf_token"]
    if layout.csrf_token is None:
        assert not tokens
        return
    assert len(tokens) == len(posting) > 0
    assert {token.attributes["value"] for token in tokens} == {layout.csrf_token.reveal()}


@pytest.mark.parametrize("hostile", HOSTILE_TITLES)
def test_hostile_text_is_text_on_every_page(hostile: str) -> None:
    for view, layout in PAGES:
        outlines = [
            rendered(with_text(view, one), with_text(layout, one)).outline
            for one in ("harmless", hostile or "-")
        ]

        assert outlines[0] == outlines[1]


def test_text_that_says_where_rows_belong_does_not_move_them() -> None:
    opening, closing = pages().around_rows(with_text(SOME_ROOMS, ROWS), MIRA)

    assert opening.endswith(b'data-filter="&lt;!-- rows --&gt;">')
    assert closing.startswith(b"</tbody>")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("{{7*7}}{% if 1 %}%(x)s{0}", "{{7*7}}{% if 1 %}%(x)s{0}"),
        ("half \ud83d emoji", "half ? emoji"),
    ],
    ids=["template syntax", "what UTF-8 cannot write"],
)
def test_a_name_is_shown_as_text_whatever_it_holds(name: str, shown: str) -> None:
    page = PersonPage(replace(PROFILE, display_name=name), GRANT)

    assert rendered(page).texts("h1") == [shown]


def person_page(**changes: Any) -> PersonPage:
    return PersonPage(PROFILE, replace(GRANT, **changes))


def failure_page(name: str) -> FailurePage:
    return replace(FAILURE_PAGE, failure=FAILURES[name])


@pytest.mark.parametrize(
    ("view", "about", "words"),
    [
        (HomePage((PEOPLE_READ,)), OTHER_WEBEX, ["Webex of api-usgov.webex.com", "forgets its"]),
        (person_page(), WEBEX, ["person-id", "organization-id"]),
        (person_page(access_ends_at=None), WEBEX, ["no time was given"]),
        (person_page(is_renewable=False), WEBEX, ["not possible; sign in again when it ends."]),
        (person_page(renewable_until=None), WEBEX, ["renews itself for as long as Webex allows."]),
        (
            person_page(granted=(PEOPLE_READ,), withheld=(ROOMS_READ,)),
            WEBEX,
            ["Asked for, but not granted", f"{describe(ROOMS_READ)} spark:rooms_read"],
        ),
        (SessionsPage((THIS_SESSION,)), WEBEX, ["No other browser is signed in."]),
        (FAILURE_PAGE, WEBEX, ["Page not found", "There is no page at", "Check the address,"]),
        (FAILURE_PAGE, WEBEX, ["404", "3f9a2c71d0", "2026-09-21 14:13 UTC"]),
        (
            replace(FAILURE_PAGE, retry_after_seconds=90),
            WEBEX,
            ["Try again in 90 seconds, after 2026-09-21 14:14 UTC."],
        ),
        (failure_page("client-refused"), WEBEX, ["Please tell whoever runs this application,"]),
        (failure_page("client-refused"), WITH_HELP, ["Please tell help@acme.example,"]),
        (failure_page("api-refused"), WITH_HELP, ["If it keeps happening, tell help@acme"]),
        (failure_page("api-server-failed"), WEBEX, ["If it keeps happening, see status.webex"]),
    ],
)
def test_a_page_says_what_its_view_holds(view: View, about: About, words: list[str]) -> None:
    (main,) = rendered(view, MIRA, about).texts("main")

    assert [one for one in words if one not in main] == []


def test_a_stranger_is_offered_to_sign_in_and_told_what_will_be_asked() -> None:
    document = rendered(HomePage((PEOPLE_READ,)), STRANGER)

    (form,) = document.named("form")
    assert form.attributes == {"method": "post", "action": "/login"}
    assert document.texts("button") == ["Sign in with Webex"]
    (field,) = document.named("input")
    assert (field.attributes["name"], field.attributes["value"]) == ("return_to", "/")
    (scope,) = document.texts("li")
    assert scope == f"{describe(PEOPLE_READ)} spark:people_read"


@EXAMPLES
@APPLICATION
def test_every_page_says_what_application_it_is_and_how_it_runs(
    view: View, layout: Layout, about: About
) -> None:
    document = rendered(view, layout, about)

    (header,), (footer,) = document.texts("header"), document.texts("footer")
    assert document.texts("title")[0].endswith(f" · {about.name}")
    assert about.name in header
    assert ("Local Webex:" in header) is about.is_emulator
    assert ("DEBUG=oauth" in footer) is about.is_debugging
    assert ("Help: help@acme.example" in footer) is (about.help_url is not None)


def test_instants_are_written_in_utc_for_people_and_for_machines() -> None:
    times = rendered(PersonPage(PROFILE, GRANT)).named("time")

    assert [(time.attributes["datetime"], time.text) for time in times] == [
        ("2027-01-03T18:13:20Z", "2027-01-03 18:13 UTC"),
        ("2026-10-26T07:33:20Z", "2026-10-26 07:33 UTC"),
    ]


def test_initials_stand_behind_the_picture() -> None:
    plain, pictured = (rendered(PersonPage(profile, GRANT)) for profile in (PROFILE, PICTURED))

    assert [e.text for e in plain.named("span") if e.attributes.get("class") == "avatar"] == ["MI"]
    assert not plain.named("img")
    (image,) = pictured.named("img")
    assert (image.attributes["src"], image.attributes["alt"]) == ("/avatars/mira.png", "")


def test_an_unnamed_person_learns_which_scope_brings_the_name() -> None:
    document = rendered(PersonPage(NAMELESS, GRANT, PEOPLE_READ), UNNAMED)

    assert document.texts("h1") == ["You are signed in"]
    assert "spark:people_read" in document.texts("code")
    assert "Sign in again" in document.texts("button")
    assert "See your spaces" in document.texts("a")


@pytest.mark.parametrize("is_everywhere", [True, False])
def test_only_a_confirmed_revocation_is_called_confirmed(*, is_everywhere: bool) -> None:
    told = {
        fate: rendered(SignedOutPage(fate, is_everywhere), STRANGER).texts("main")[0]
        for fate in TokenFate
    }

    assert [f for f in TokenFate if "Webex has confirmed" in told[f]] == [TokenFate.REVOKED]
    assert [f for f in TokenFate if "did not confirm in time" in told[f]] == [TokenFate.QUEUED]
    assert [f for f in TokenFate if "another browser" in told[f]] == [TokenFate.SHARED]
    assert [f for f in TokenFate if "keeps its access" in told[f]] == [
        TokenFate.SHARED,
        TokenFate.KEPT,
    ]
    heading = "You are disconnected" if is_everywhere else "You are signed out"
    assert all(heading in text for text in told.values())


@pytest.mark.check("D07")
def test_every_other_session_has_a_button_of_its_own() -> None:
    unknown = replace(OTHER_SESSION, browser="An unknown browser")

    document = rendered(SessionsPage((THIS_SESSION, OTHER_SESSION, unknown)))

    names = [e.attributes.get("aria-label") for e in document.named("button")]
    assert [name for name in names if name] == [
        "Sign out Safari on iPhone, last used 2026-05-28 20:36 UTC",
        "Sign out An unknown browser, last used 2026-05-28 20:36 UTC",
    ]
    handles = [e.attributes["value"] for e in document.named("input")]
    assert handles.count("handle-2") == 2
    assert "handle-1" not in handles


@pytest.mark.check("B13")
@pytest.mark.parametrize(
    ("change", "headings"),
    [
        ({}, []),
        ({"ends_soon_at": 1_799_000_000}, ["This application's access ends soon"]),
        ({"ends_soon_at": 1, "has_ended": True}, ["This application's access has ended"]),
    ],
)
def test_the_end_is_warned_of_with_a_way_to_prevent_it(
    change: dict[str, Any], headings: list[str]
) -> None:
    document = rendered(PersonPage(PROFILE, replace(GRANT, **change)))

    assert [text for text in document.texts("h2") if "'s access" in text] == headings
    assert document.texts("button").count("Sign in again") == len(headings)


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"has_ended": True},
        {"has_ended": True, "shows_spaces": False},
        {"ends_soon_at": 1_799_000_000},
        {"ends_soon_at": 1_799_000_000, "shows_spaces": False},
        {"shows_spaces": False},
    ],
)
def test_a_signed_in_person_has_one_thing_to_do_next_and_it_works(
    change: dict[str, Any], *, named: bool
) -> None:
    grant = replace(GRANT, **change)
    page = PersonPage(PROFILE, grant) if named else PersonPage(NAMELESS, grant, PEOPLE_READ)

    document = rendered(page)

    (main,) = document.texts("main")
    classes = [e.attributes.get("class") for e in (*document.named("button"), *document.named("a"))]
    assert classes.count("primary") + classes.count("button") == 1
    assert ("See your spaces" in main) is (grant.shows_spaces and not grant.has_ended)
    assert ("You are signed in with Webex" in main) is (named and not grant.has_ended)
    assert ("Webex no longer gives this application access" in main) is grant.has_ended
    assert ("It renews itself" in main) is not grant.has_ended


def test_details_are_open_on_the_machine_of_the_operator() -> None:
    states = {
        about.is_at_home: "open"
        in rendered(FAILURE_PAGE, STRANGER, about).named("details")[0].attributes
        for about in (WEBEX, EMULATOR)
    }

    assert states == {False: False, True: True}


def test_try_again_keeps_where_the_person_was_going() -> None:
    page = replace(FAILURE_PAGE, sign_in_to="/listrooms?filter=a&b")

    document = rendered(page, STRANGER)

    assert document.texts("button") == ["Try again"]
    (field,) = document.named("input")
    assert field.attributes["value"] == "/listrooms?filter=a&b"


def test_a_failure_without_a_remedy_offers_none() -> None:
    document = rendered(FAILURE_PAGE, STRANGER)
    linked = rendered(replace(FAILURE_PAGE, link=("/x", "Go on")), STRANGER)

    assert not document.named("button")
    assert "Go on" not in document.texts("a")
    assert "Go on" in linked.texts("a")


def test_a_page_asks_for_nothing_but_known_files() -> None:
    document = rendered(FAILURE_PAGE)

    addresses = [e.attributes["href"] for e in document.named("link")]
    addresses += [e.attributes["src"] for e in document.named("script")]
    assert sorted(map(str, addresses)) == sorted(ASSETS.by_path)


def test_a_changed_file_has_a_changed_address() -> None:
    old, new = Assets({"app.css": b"a"}), Assets({"app.css": b"b"})

    assert old.path("app.css") != new.path("app.css")
    assert "immutable" in CACHED_FOR_GOOD


@pytest.mark.parametrize("asset", ASSETS.by_path.values(), ids=lambda asset: str(asset.path))
def test_an_address_holds_the_digest_of_its_file(asset: Any) -> None:
    digest = hashlib.sha256(asset.content).hexdigest()

    assert re.fullmatch(rf"/static/{digest[:16]}/[a-z.]+", asset.path)


def test_an_unknown_file_has_no_address() -> None:
    with pytest.raises(KeyError):
        ASSETS.path("other.css")


def test_style_sheets_load_nothing_that_the_policy_blocks() -> None:
    own, vendored = (
        ASSETS.by_path[ASSETS.path(name)].content.decode() for name in ("app.css", "water.min.css")
    )

    assert hashlib.sha256(vendored.encode()).hexdigest() == PUBLISHED_WATER_CSS
    assert "url(" not in own
    assert "@import" not in own + vendored
    # The one picture in water.css is the arrow of a select, which app.css takes away.
    assert set(re.findall(r"url\(.{5}", vendored)) == {'url("data'}
    assert "--select-arrow: none;" in own


def test_the_script_writes_text_and_never_markup() -> None:
    script = ASSETS.by_path[ASSETS.path("app.js")].content.decode()

    assert '"use strict"' in script
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval", script)


@settings(deadline=None)
@given(integers(0, LAST_INSTANT))
def test_an_instant_reads_back(at: int) -> None:
    assert datetime.fromisoformat(utc_datetime(at)) == datetime.fromtimestamp(at, UTC)


@settings(deadline=None)
@given(integers())
def test_no_instant_is_too_far_to_be_written(at: int) -> None:
    assert utc_text(at).endswith(" UTC")
    assert utc_datetime(at).endswith("Z")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (120, "120 seconds"),
        (121, "3 minutes"),
        (3600, "60 minutes"),
        (7200, "120 minutes"),
        (7201, "3 hours"),
    ],
)
def test_a_wait_is_told_in_a_fitting_unit_and_never_too_short(seconds: int, words: str) -> None:
    assert duration_text(seconds) == words


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Mira Ito", "MI"),
        ("mira", "M"),
        ("Ana de la Cruz", "AC"),
        ("“Al” (Alfred) Ørsted", "AØ"),
        ("李 小龍", "李小"),
        ("R2-D2", "R"),
        ("🎉 🎉", "?"),
        ("", "?"),
    ],
)
def test_initials_are_of_the_first_and_last_word(name: str, letters: str) -> None:
    assert initials(name) == letters


@settings(deadline=None)
@given(text())
def test_any_name_has_initials_that_fit(name: str) -> None:
    letters = initials(name)

    assert letters == "?" or letters.upper() == letters
    assert 1 <= len(letters) <= 6
