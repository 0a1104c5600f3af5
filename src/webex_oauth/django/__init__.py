"""Sign in with Webex in a Django project of yours, which keeps its own users and sessions.

Django's setting `WEBEX_OAUTH` may have the arguments of `webex_oauth.Settings`, and `allowed_orgs`.
Without arguments of `Settings` those of the environment and its `.env` count.
"""

from collections.abc import Callable
from functools import cache, wraps
from inspect import iscoroutinefunction
from typing import Any, Final, TypeAlias

from asgiref.sync import sync_to_async
from django.conf import settings as host_settings
from django.urls import get_script_prefix, reverse

from webex_oauth.errors import GrantNotFound
from webex_oauth.frameworks.door import SyncDoor
from webex_oauth.library.grants import AsyncGrant
from webex_oauth.library.hosted import hosted
from webex_oauth.library.synchronous import Grant, Integration
from webex_oauth.settings import Settings

ORGS: Final = "allowed_orgs"
NOT_CALLED: Final = "write @webex_required(), with the scopes between the parentheses"

User: TypeAlias = Any
"""A user of the project's own model; Django has no types."""

View: TypeAlias = Callable[..., Any]


@cache
def integration() -> Integration:
    """Return the integration of this project, which is opened at first use in each process."""
    choices = _choices()
    choices.pop(ORGS, None)
    return Integration(Settings(**choices) if choices else None)


@cache
def door() -> SyncDoor:
    """Return the rules of sign-in for the pages of `webex_oauth.django.urls`."""
    login_path, logout_path = map(_own_path, ("webex:login", "webex:logout"))
    return SyncDoor(
        integration(),
        session="host",
        login_path=login_path,
        logout_path=logout_path,
        allowed_orgs=_choices().get(ORGS, ()),
    )


def _own_path(name: str) -> str:
    """Return the path of a page without the prefix of the request that asks first."""
    path: str = reverse(name)
    return path.removeprefix(get_script_prefix().rstrip("/"))


def _choices() -> dict[str, Any]:
    return dict(getattr(host_settings, "WEBEX_OAUTH", {}))


def grant_of(user: User) -> Grant:
    """Return what *user* allowed when they signed in with Webex.

    Raises what the middleware answers: GrantNotFound, ReauthRequired, TemporaryError.
    """
    person_id = person_id_of(user)
    if person_id is None:
        raise GrantNotFound("this user has not signed in with Webex")
    found = door().admitted(integration().grants.get(person_id))
    return door().usable(found, (), door().origin + reverse("webex:login"))


def person_id_of(user: User) -> str | None:
    """Return which person at Webex *user* is, if they have signed in with Webex."""
    from webex_oauth.django.models import WebexAccount  # noqa: PLC0415 - once Django is set up

    accounts = WebexAccount.objects.filter(user_id=user.pk)
    found: str | None = accounts.values_list("person_id", flat=True).first()
    return found


async def agrant_of(user: User) -> AsyncGrant:
    """Return what *user* allowed, for asynchronous views; raises what `grant_of` raises."""
    return hosted(await sync_to_async(grant_of)(user))


def webex_required(*scopes: str) -> Callable[[View], View]:
    """Let a view be used by users who have signed in with Webex and allowed *scopes*."""
    if any(map(callable, scopes)):
        raise TypeError(NOT_CALLED)

    def check(request: Any) -> None:
        grant_of(request.user).require(*scopes)

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: Any, *args: Any, **kwargs: Any) -> Any:
            check(request)
            return view(request, *args, **kwargs)

        @wraps(view)
        async def guarded_async(request: Any, *args: Any, **kwargs: Any) -> Any:
            await sync_to_async(check)(request)
            return await view(request, *args, **kwargs)

        return guarded_async if iscoroutinefunction(view) else guarded

    return decorate
