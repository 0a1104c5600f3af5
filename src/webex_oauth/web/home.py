"""`GET /` and `GET /index.html`: the way to sign in, or the signed-in person and their grant."""

from typing import ClassVar, Final

from msgspec import Struct
from msgspec.structs import replace
from starlette.responses import Response

from webex_oauth.flows.sessions import LiveSession
from webex_oauth.settings.urls import split_url
from webex_oauth.vault.records import Grant, Profile
from webex_oauth.web.rendering import View
from webex_oauth.web.visit import Visit
from webex_oauth.webex.platform import Platform
from webex_oauth.webex.scopes import PEOPLE_READ, ROOMS_READ, permits

WARNING_SECONDS: Final = 7 * 86400
LAST_PART: Final = 6


class GrantInWords(Struct, frozen=True):
    """What the person allowed and how long it lasts.

    `withheld` was requested but not granted. `access_ends_at` and `renewable_until` are None when
    Webex gave no date; `is_renewable` is whether a refresh token is kept. `ends_soon_at` is set
    when the person should sign in again before then; `has_ended` when nothing works until they do.
    `shows_spaces` is whether what was granted is enough for the list of spaces.
    """

    granted: tuple[str, ...]
    withheld: tuple[str, ...]
    access_ends_at: int | None
    is_renewable: bool
    renewable_until: int | None
    ends_soon_at: int | None = None
    has_ended: bool = False
    shows_spaces: bool = True


class HomePage(View, frozen=True):
    """The page of a browser that is not signed in, with the `scopes` that a sign-in asks for.

    `was_signed_in` is whether the browser presents a session that has ended.
    """

    template: ClassVar = "home.html"

    scopes: tuple[str, ...]
    was_signed_in: bool = False


class PersonPage(View, frozen=True):
    """The page of the signed-in person.

    `missing_scope` would bring their name, where Webex gave none. The profile's `avatar` is None to
    show initials; otherwise the page's Content-Security-Policy must allow it as an image.
    """

    template: ClassVar = "person.html"

    profile: Profile
    grant: GrantInWords
    missing_scope: str | None = None


async def show_home(visit: Visit) -> Response:
    """Show the person's page, or the home page to a browser that is not signed in."""
    session = await visit.session()
    if session is not None:
        return await _show_person(visit, session)
    was_signed_in = visit.session_id is not None
    response = visit.show(HomePage(visit.site.settings.scopes, was_signed_in=was_signed_in))
    await visit.drop_stale_session(response)
    return response


async def _show_person(visit: Visit, session: LiveSession) -> Response:
    settings, profile = visit.site.settings, session.profile
    grant = await visit.site.integration.vault.grant(session.grant_key)
    words = grant_in_words(grant, settings.scopes, visit.now())
    if profile.display_name is None and not permits(grant.scopes, PEOPLE_READ):
        return visit.show(PersonPage(profile, words, PEOPLE_READ))
    image_origin = _image_origin(profile, settings.platform)
    shown = profile if image_origin else replace(profile, avatar=None)
    return visit.show(PersonPage(shown, words), image_origin=image_origin)


def _image_origin(profile: Profile, platform: Platform) -> str | None:
    """Return the origin that the person's picture is loaded from; None unless it is Webex's."""
    if not (profile.display_name and profile.avatar and profile.avatar.isascii()):
        return None
    parts = split_url(profile.avatar)
    if parts is None or not platform.has_picture(parts):
        return None
    return f"{parts.scheme}://{parts.netloc}"


def grant_in_words(grant: Grant, requested: tuple[str, ...], now: int) -> GrantInWords:
    """Return what was allowed, what of *requested* was not, and how long it lasts."""
    tokens, end = grant.tokens, last_end(grant)
    asked_for = [scope for scope in requested if scope in grant.scopes]
    is_near = end is not None and now >= end - warning_seconds(grant, end)
    return GrantInWords(
        granted=(*asked_for, *sorted(grant.scopes.difference(asked_for))),
        withheld=tuple(scope for scope in requested if not permits(grant.scopes, scope)),
        access_ends_at=tokens.access_expires_at,
        is_renewable=tokens.refresh_token is not None,
        renewable_until=tokens.refresh_expires_at,
        ends_soon_at=end if is_near else None,
        shows_spaces=permits(grant.scopes, ROOMS_READ),
        has_ended=grant.reauth_reason is not None or (end is not None and now >= end),
    )


def last_end(grant: Grant) -> int | None:
    """Return when everything stops working without the person; None if that is not known."""
    tokens = grant.tokens
    if tokens.refresh_token is None:
        return tokens.access_expires_at
    if tokens.refresh_expires_at is None:
        return None
    return max(tokens.refresh_expires_at, tokens.access_expires_at or 0)


def warning_seconds(grant: Grant, end: int) -> int:
    """Return how long before its end a grant is warned of: a week, or a sixth of a short life.

    What keeps grants alive has acted long before.
    """
    return min(WARNING_SECONDS, max(0, end - grant.issued_at) // LAST_PART)
