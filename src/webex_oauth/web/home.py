"""`GET /` and `GET /index.html`: the start button, or the signed-in person."""

from dataclasses import replace

from starlette.responses import Response

from webex_oauth.flows.sessions import LiveSession
from webex_oauth.settings.urls import split_url
from webex_oauth.vault.grants import Grant
from webex_oauth.vault.records import Profile
from webex_oauth.web.views import (
    GrantInWords,
    HomePage,
    PersonPage,
    ScopeInWords,
    UnnamedPersonPage,
)
from webex_oauth.web.visit import Visit
from webex_oauth.webex.platform import Platform
from webex_oauth.webex.scopes import PEOPLE_READ, ROOMS_READ, describe, permits

WARNING_SECONDS = 7 * 86400
LAST_PART = 6


def grant_in_words(grant: Grant, requested: tuple[str, ...], now: int) -> GrantInWords:
    """Say what was allowed, what of *requested* was not, and how long it lasts."""
    tokens, end = grant.tokens, last_end(grant)
    asked_for = [scope for scope in requested if scope in grant.scopes]
    is_near = end is not None and now >= end - warning_seconds(grant, end)
    return GrantInWords(
        granted=tuple(map(in_words, (*asked_for, *sorted(grant.scopes.difference(asked_for))))),
        withheld=tuple(in_words(s) for s in requested if not permits(grant.scopes, s)),
        access_ends_at=tokens.access_expires_at,
        is_renewable=tokens.refresh_token is not None,
        renewable_until=tokens.refresh_expires_at,
        ends_soon_at=end if is_near else None,
        shows_spaces=permits(grant.scopes, ROOMS_READ),
        has_ended=grant.reauth_reason is not None or (end is not None and now >= end),
    )


def last_end(grant: Grant) -> int | None:
    """Say until when anything works without the person; None when that is not known."""
    tokens = grant.tokens
    if tokens.refresh_token is None:
        return tokens.access_expires_at
    if tokens.refresh_expires_at is None:
        return None
    return max(tokens.refresh_expires_at, tokens.access_expires_at or 0)


def warning_seconds(grant: Grant, end: int) -> int:
    """Say how long before its end a grant is warned of.

    A week, of a short life its last sixth: what keeps grants alive has acted long before.
    """
    return min(WARNING_SECONDS, max(0, end - grant.issued_at) // LAST_PART)


def in_words(scope: str) -> ScopeInWords:
    """Return what *scope* allows, as pages show it."""
    return ScopeInWords(scope, describe(scope))


async def show_home(visit: Visit) -> Response:
    """Show the person's page, or the home page to a browser that is not signed in."""
    session = await visit.session()
    if session is not None:
        return await _show_person(visit, session)
    scopes = tuple(in_words(scope) for scope in visit.site.settings.scopes)
    was_signed_in = visit.session_id is not None
    response = visit.show(HomePage(visit.frame(), scopes, "/", was_signed_in=was_signed_in))
    await visit.drop_stale_session(response)
    return response


async def _show_person(visit: Visit, session: LiveSession) -> Response:
    settings = visit.site.settings
    grant = await visit.site.integration.vault.grant(session.grant_key)
    words = grant_in_words(grant, settings.scopes, visit.site.integration.context.clock())
    profile = session.profile
    if profile.display_name is None:
        is_granted = permits(grant.scopes, PEOPLE_READ)
        missing_scope = None if is_granted else in_words(PEOPLE_READ)
        return visit.show(UnnamedPersonPage(visit.frame(), missing_scope, words))
    image_origin = _image_origin(profile, settings.platform)
    shown = profile if image_origin else replace(profile, avatar=None)
    return visit.show(PersonPage(visit.frame(), shown, words), image_origin=image_origin)


def _image_origin(profile: Profile, platform: Platform) -> str | None:
    """Return the origin that the person's picture is loaded from; None unless it is Webex's."""
    if profile.avatar is None or not profile.avatar.isascii():
        return None
    parts = split_url(profile.avatar)
    if parts is None or not platform.has_picture(parts):
        return None
    return f"{parts.scheme}://{parts.netloc}"
