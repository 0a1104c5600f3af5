"""`GET /` and `GET /index.html`: the start button, or the signed-in person."""

from dataclasses import replace

from starlette.responses import Response

from webex_oauth.flows.sessions import LiveSession
from webex_oauth.settings.urls import split_url
from webex_oauth.vault.sessions import Profile
from webex_oauth.web.grant_words import grant_in_words, in_words
from webex_oauth.web.views import HomePage, PersonPage, UnnamedPersonPage
from webex_oauth.web.visit import Visit
from webex_oauth.webex.platform import Platform
from webex_oauth.webex.scopes import PEOPLE_READ, permits


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
