"""Every page: complete, safe, and what its view says."""

from dataclasses import fields, replace
from pathlib import PurePath
from typing import Any, get_args

import pytest
from jinja2 import Environment, PackageLoader, UndefinedError, nodes
from unit.web.document import Document
from unit.web.specimens import (
    FAILURE_PAGE,
    GRANT,
    MIRA,
    OTHER_SESSION,
    OTHER_WEBEX,
    PAGES,
    PEOPLE_READ,
    PICTURED,
    PROFILE,
    ROOMS_PAGES,
    ROOMS_READ,
    SOME_ROOMS,
    STRANGER,
    THIS_SESSION,
    UNNAMED,
    with_text,
)

from webex_oauth.emulator.seed import HOSTILE_TITLES
from webex_oauth.flows.sessions import TokenFate
from webex_oauth.web.rendering import ROWS, TEMPLATE_BY_VIEW, Assets, Pages, page_environment
from webex_oauth.web.views import (
    HomePage,
    Link,
    Page,
    PersonPage,
    RoomsPage,
    SessionsPage,
    SignedOutPage,
    SignInAgain,
    UnnamedPersonPage,
)

SPECIMENS = pytest.mark.parametrize("page", PAGES, ids=lambda page: type(page).__name__)


def template_files() -> set[str]:
    names = PackageLoader("webex_oauth.web").list_templates()
    return {name for name in names if len(PurePath(name).parts) == 1}


def fields_used_by(environment: Environment, name: str) -> set[str]:
    """Follow a template into what it extends and includes."""
    assert environment.loader is not None
    tree = environment.parse(environment.loader.get_source(environment, name)[0])
    used = {
        node.attr
        for node in tree.find_all(nodes.Getattr)
        if isinstance(node.node, nodes.Name) and node.node.name == "page"
    }
    parents: list[nodes.Extends | nodes.Include] = [
        *tree.find_all(nodes.Extends),
        *tree.find_all(nodes.Include),
    ]
    for parent in parents:
        assert isinstance(parent.template, nodes.Const)
        used |= fields_used_by(environment, parent.template.value)
    return used


def test_every_view_has_a_template_of_its_own() -> None:
    views = {*get_args(Page), RoomsPage}

    assert set(TEMPLATE_BY_VIEW) == views
    assert {*TEMPLATE_BY_VIEW.values(), "layout.html"} == template_files()
    assert len(set(TEMPLATE_BY_VIEW.values())) == len(views)


def test_every_view_is_among_the_specimens() -> None:
    assert {type(view) for view in (*PAGES, *ROOMS_PAGES)} == set(TEMPLATE_BY_VIEW)


@pytest.mark.parametrize(("view", "template"), TEMPLATE_BY_VIEW.items())
def test_a_template_uses_every_field_of_its_view_and_no_other(
    assets: Assets, view: Any, template: str
) -> None:
    used = fields_used_by(page_environment(assets), template)

    assert used == {field.name for field in fields(view)}


def test_a_name_that_a_view_does_not_have_is_an_error(assets: Assets) -> None:
    template = page_environment(assets).from_string("{{ page.nothing }}")

    with pytest.raises(UndefinedError):
        template.render(page=PAGES[0])


@SPECIMENS
def test_a_page_is_one_whole_document(pages: Pages, page: Page) -> None:
    html = pages.render(page)

    document = Document(html)
    assert html.startswith(b"<!doctype html>\n<html lang=")
    assert html.endswith(b"</html>")
    for name in ("html", "head", "title", "header", "main", "h1", "footer"):
        assert len(document.named(name)) == 1, name


@SPECIMENS
def test_nothing_is_inline_and_nothing_comes_from_elsewhere(pages: Pages, page: Page) -> None:
    document = Document(pages.render(page))

    assert not document.named("style")
    assert all(
        script.text == "" and "src" in script.attributes for script in document.named("script")
    )
    for element in document.elements:
        assert not [name for name in element.attributes if name == "style" or name.startswith("on")]
        for name in {"src", "href", "action"} & set(element.attributes):
            address = element.attributes[name]
            assert address is not None
            assert address.startswith(("/", "#"))
            assert not address.startswith("//")


@SPECIMENS
def test_every_form_that_posts_carries_the_csrf_token_once(pages: Pages, page: Page) -> None:
    document = Document(pages.render(page))

    posting = [form for form in document.named("form") if form.attributes["method"] == "post"]
    tokens = [e for e in document.named("input") if e.attributes.get("name") == "csrf_token"]
    if page.frame.csrf_token is None:
        assert not tokens
        return
    assert len(tokens) == len(posting) > 0
    assert {token.attributes["value"] for token in tokens} == {page.frame.csrf_token.reveal()}


@pytest.mark.parametrize("text", HOSTILE_TITLES)
def test_hostile_text_is_text_on_every_page(pages: Pages, text: str) -> None:
    for page in PAGES:
        harmless = Document(pages.render(with_text(page, "harmless")))

        hostile = Document(pages.render(with_text(page, text or "-")))

        assert hostile.outline == harmless.outline


@pytest.mark.parametrize("text", HOSTILE_TITLES)
def test_hostile_text_is_text_around_the_rooms(pages: Pages, text: str) -> None:
    for page in ROOMS_PAGES:
        harmless = with_text(page, "harmless")
        hostile = with_text(page, text or "-")

        outlines = [
            Document(b"".join(pages.around_rows(view))).outline for view in (harmless, hostile)
        ]

        assert outlines[0] == outlines[1]


def test_text_that_says_where_rows_belong_does_not_move_them(pages: Pages) -> None:
    page = with_text(SOME_ROOMS, ROWS)

    opening, closing = pages.around_rows(page)

    assert opening.endswith(b'data-filter="&lt;!-- rows --&gt;">')
    assert closing.startswith(b"</tbody>")


def test_template_syntax_in_data_is_shown_and_not_evaluated(pages: Pages) -> None:
    page = PersonPage(MIRA, replace(PROFILE, display_name="{{7*7}}{% if 1 %}%(x)s{0}"), GRANT)

    (heading,) = Document(pages.render(page)).texts("h1")

    assert heading == "{{7*7}}{% if 1 %}%(x)s{0}"


def test_text_that_utf_8_cannot_write_does_not_break_a_page(pages: Pages) -> None:
    page = PersonPage(MIRA, replace(PROFILE, display_name="half \ud83d emoji"), GRANT)

    (heading,) = Document(pages.render(page)).texts("h1")

    assert heading == "half ? emoji"


def test_a_webex_that_is_neither_known_nor_local_is_named(pages: Pages) -> None:
    html = pages.render(HomePage(OTHER_WEBEX, (PEOPLE_READ,), "/")).decode()

    assert "the Webex at <strong>api-usgov.webex.com</strong>" in html
    assert "forgets its access" in html
    assert "invented" not in html


def test_a_stranger_is_offered_the_start_and_told_what_will_be_asked(pages: Pages) -> None:
    document = Document(pages.render(HomePage(STRANGER, (PEOPLE_READ,), "/listrooms?a=1&b=2")))

    (form,) = document.named("form")
    assert form.attributes == {"method": "post", "action": "/login"}
    assert document.texts("button") == ["Start OAuth flow"]
    (field,) = document.named("input")
    assert (field.attributes["name"], field.attributes["value"]) == (
        "return_to",
        "/listrooms?a=1&b=2",
    )
    (scope,) = document.texts("li")
    assert scope == "See who you are spark:people_read"


def test_every_page_says_so_when_webex_is_the_local_one(pages: Pages) -> None:
    for page in PAGES:
        (header,) = Document(pages.render(page)).texts("header")

        assert ("Local Webex." in header) is page.frame.is_emulator


def test_every_page_says_so_when_steps_are_logged(pages: Pages) -> None:
    for page in PAGES:
        (footer,) = Document(pages.render(page)).texts("footer")

        assert ("DEBUG=oauth" in footer) is page.frame.is_debugging


def test_instants_are_told_in_utc_and_to_machines(pages: Pages) -> None:
    times = Document(pages.render(PersonPage(MIRA, PROFILE, GRANT))).named("time")

    assert [(time.attributes["datetime"], time.text) for time in times] == [
        ("2026-10-26T07:33:20Z", "2026-10-26 07:33 UTC"),
        ("2027-01-03T18:13:20Z", "2027-01-03 18:13 UTC"),
    ]


@pytest.mark.parametrize(
    ("grant", "words"),
    [
        (replace(GRANT, access_ends_at=None), "Webex did not say when"),
        (replace(GRANT, is_renewable=False), "not at all: sign in again when it ends"),
        (replace(GRANT, renewable_until=None), "without you, for as long as Webex allows"),
    ],
)
def test_an_unknown_end_is_said_to_be_unknown(pages: Pages, grant: Any, words: str) -> None:
    document = Document(pages.render(PersonPage(MIRA, PROFILE, grant)))

    assert words in document.texts("dd")


def test_initials_stand_behind_the_picture(pages: Pages) -> None:
    plain, pictured = (
        Document(pages.render(PersonPage(MIRA, profile, GRANT))) for profile in (PROFILE, PICTURED)
    )

    assert [e.text for e in plain.named("span") if e.attributes.get("class") == "avatar"] == ["MI"]
    assert not plain.named("img")
    (image,) = pictured.named("img")
    assert (image.attributes["src"], image.attributes["alt"]) == ("/avatars/mira.png", "")


def test_a_withheld_scope_is_named_and_explained(pages: Pages) -> None:
    grant = replace(GRANT, granted=(PEOPLE_READ,), withheld=(ROOMS_READ,))

    document = Document(pages.render(PersonPage(MIRA, PROFILE, grant)))

    assert "Asked for, but not granted" in document.texts("h3")
    assert "See the titles of your spaces spark:rooms_read" in document.texts("li")


def test_an_unnamed_person_learns_which_scope_brings_the_name(pages: Pages) -> None:
    document = Document(pages.render(UnnamedPersonPage(UNNAMED, PEOPLE_READ, GRANT)))

    assert "spark:people_read" in document.texts("code")
    assert "Sign in again" in document.texts("button")
    assert "See your spaces" in document.texts("a")


def test_only_a_confirmed_revocation_is_called_confirmed(pages: Pages) -> None:
    told = {
        fate: Document(pages.render(SignedOutPage(STRANGER, fate))).texts("main")[0]
        for fate in TokenFate
    }

    assert [f for f in TokenFate if "Webex has confirmed" in told[f]] == [TokenFate.REVOKED]
    assert [f for f in TokenFate if "did not confirm in time" in told[f]] == [TokenFate.QUEUED]
    assert [f for f in TokenFate if "another browser" in told[f]] == [TokenFate.SHARED]
    assert [f for f in TokenFate if "keeps its access" in told[f]] == [
        TokenFate.SHARED,
        TokenFate.KEPT,
    ]


@pytest.mark.check("D07")
def test_every_other_session_has_a_button_of_its_own(pages: Pages) -> None:
    page = SessionsPage(MIRA, (THIS_SESSION, OTHER_SESSION, replace(OTHER_SESSION, browser=None)))

    document = Document(pages.render(page))

    names = [e.attributes.get("aria-label") for e in document.named("button") if e.text == "End"]
    assert names == [
        "End Safari on iPhone, last seen 2026-05-28 20:36 UTC",
        "End An unknown browser, last seen 2026-05-28 20:36 UTC",
    ]
    handles = [e.attributes["value"] for e in document.named("input")]
    assert handles.count("handle-2") == 2
    assert "handle-1" not in handles


def test_who_is_signed_in_once_has_nothing_to_end(pages: Pages) -> None:
    document = Document(pages.render(SessionsPage(MIRA, (THIS_SESSION,))))

    assert document.texts("button") == ["Sign out"]
    assert "You are signed in nowhere else." in document.texts("p")


@pytest.mark.check("B13")
@pytest.mark.parametrize(
    ("grant", "headings"),
    [
        (GRANT, []),
        (replace(GRANT, ends_soon_at=1_799_000_000), ["This application's access ends soon"]),
        (
            replace(GRANT, ends_soon_at=1, has_ended=True),
            ["This application's access has ended"],
        ),
    ],
)
def test_the_end_is_warned_of_with_a_way_to_prevent_it(
    pages: Pages, grant: Any, headings: list[str]
) -> None:
    document = Document(pages.render(PersonPage(MIRA, PROFILE, grant)))

    assert [text for text in document.texts("h2") if "access" in text] == headings
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
    pages: Pages, change: dict[str, Any], *, named: bool
) -> None:
    grant = replace(GRANT, **change)
    page = (
        PersonPage(MIRA, PROFILE, grant) if named else UnnamedPersonPage(MIRA, PEOPLE_READ, grant)
    )

    document = Document(pages.render(page))

    (main,) = document.texts("main")
    classes = [e.attributes.get("class") for e in (*document.named("button"), *document.named("a"))]
    assert classes.count("primary") + classes.count("button") == 1
    assert ("See your spaces" in main) is (grant.shows_spaces and not grant.has_ended)
    assert ("You are signed in with Webex" in main) is (named and not grant.has_ended)
    assert ("Webex no longer gives this application access" in main) is grant.has_ended
    assert ("How long it lasts" in main) is not grant.has_ended


def test_a_failure_tells_what_happened_what_to_do_and_its_reference(pages: Pages) -> None:
    (main,) = Document(pages.render(FAILURE_PAGE)).texts("main")

    failure = FAILURE_PAGE.failure
    for text in (failure.title, failure.what_happened, failure.what_to_do, "404", "3f9a2c71d0"):
        assert text in main


def test_a_failure_says_when_to_come_back(pages: Pages) -> None:
    (main,) = Document(pages.render(replace(FAILURE_PAGE, retry_after_seconds=90))).texts("main")

    assert "Webex asks to come back in 90 seconds." in main


def test_try_again_keeps_where_the_person_was_going(pages: Pages) -> None:
    page = replace(FAILURE_PAGE, way_on=SignInAgain("/listrooms?filter=a&b"))

    document = Document(pages.render(page))

    assert document.texts("button") == ["Try again"]
    (field,) = document.named("input")
    assert field.attributes["value"] == "/listrooms?filter=a&b"


def test_a_failure_without_a_remedy_offers_none(pages: Pages) -> None:
    document = Document(pages.render(FAILURE_PAGE))
    linked = Document(pages.render(replace(FAILURE_PAGE, way_on=Link("/x", "Go on"))))

    assert not document.named("button")
    assert "Go on" not in document.texts("a")
    assert "Go on" in linked.texts("a")


def test_a_page_asks_for_nothing_but_known_files(pages: Pages, assets: Assets) -> None:
    document = Document(pages.render(FAILURE_PAGE))

    addresses = [e.attributes["href"] for e in document.named("link")]
    addresses += [e.attributes["src"] for e in document.named("script")]
    assert len(addresses) == 4
    assert all(assets.find(address or "") for address in addresses)
