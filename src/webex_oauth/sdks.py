"""Webex's SDKs with an access token that is always good, also in programs that run for weeks.

Each SDK is imported when it is asked for. Its requests get their token as those of `BearerAuth` do:
on Webex's API only, refreshed once and repeated once if Webex refuses it. They go through the proxy
of the settings and trust its CA file, unless *options* name others.
"""

from collections.abc import Awaitable, Callable
from importlib import import_module
from ssl import create_default_context
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from webex_oauth.library.grants import AsyncGrant, settings_of
from webex_oauth.library.synchronous import Grant
from webex_oauth.secret import Secret

if TYPE_CHECKING:
    from aiohttp import ClientRequest, ClientResponse
    from requests import Session
    from webexpythonsdk import WebexAPI
    from wxc_sdk import WebexSimpleApi
    from wxc_sdk.as_api import AsWebexSimpleApi

PLACEHOLDER: Final = "each-request-gets-its-own"
"""The SDKs refuse to start without a token; this one is replaced wherever it would matter."""

UNAUTHORIZED: Final = 401


def webexpythonsdk(grant: Grant, **options: Any) -> "WebexAPI":
    """Return a `webexpythonsdk.WebexAPI` that acts for *grant*; *options* are its own."""
    module = _sdk("webexpythonsdk", "webexpythonsdk")
    base_url = grant.platform.api_base_url
    api: WebexAPI = module.WebexAPI(access_token=PLACEHOLDER, base_url=base_url, **options)
    session = api._session._req_session  # noqa: SLF001 - the SDK has no other way to its requests
    session.headers.pop("Authorization")
    _equip(session, grant)
    return api


def wxc_sdk(grant: Grant, **options: Any) -> "WebexSimpleApi":
    """Return a `wxc_sdk.WebexSimpleApi` that acts for *grant*; *options* are its own."""
    module = _sdk("wxc_sdk", "wxc-sdk")
    api: WebexSimpleApi = module.WebexSimpleApi(tokens=PLACEHOLDER, **options)
    api.session.BASE = grant.platform.api_base_url.rstrip("/")  # type: ignore[misc]
    _equip(api.session, grant)
    return api


def wxc_sdk_async(grant: AsyncGrant, **options: Any) -> "AsWebexSimpleApi":
    """Return a `wxc_sdk.as_api.AsWebexSimpleApi` that acts for *grant*; *options* are its own.

    Close it, or use it in `async with`.
    """
    if not isinstance(grant, AsyncGrant):
        raise TypeError(
            "wxc_sdk_async takes a grant of AsyncIntegration; wxc_sdk one of Integration"
        )
    module = _sdk("wxc_sdk.as_api", "wxc-sdk")
    middlewares = (_bearer_middleware(grant), *options.pop("middlewares", ()))
    settings = settings_of(grant)
    if settings.proxy and settings.platform.origin.startswith("https:"):
        options.setdefault("proxy_url", settings.proxy)
    if settings.ca_file:
        options.setdefault("ssl", create_default_context(cafile=settings.ca_file))
    api: AsWebexSimpleApi = module.AsWebexSimpleApi(
        tokens=PLACEHOLDER, middlewares=middlewares, **options
    )
    api.session.BASE = grant.platform.api_base_url.rstrip("/")
    return api


def _sdk(name: str, package: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{package} is not installed: pip install {package}", name=error.name
        ) from error


def _equip(session: "Session", grant: Grant) -> None:
    """Let requests of *session* act for *grant*, on the way to Webex that its settings name."""
    from webex_oauth.requests import BearerAuth  # noqa: PLC0415 - only these SDKs need it

    session.auth = BearerAuth(grant)
    settings = settings_of(grant._twin)  # noqa: SLF001 - the two halves of one library
    if settings.proxy or settings.ca_file:
        session.trust_env = False  # requests would rather believe the environment
    if settings.proxy:
        session.proxies.setdefault("https", settings.proxy)
    if settings.ca_file and session.verify is True:
        session.verify = settings.ca_file


Handler = Callable[["ClientRequest"], Awaitable["ClientResponse"]]


def _bearer_middleware(
    grant: AsyncGrant,
) -> Callable[["ClientRequest", Handler], Awaitable["ClientResponse"]]:
    """Return what puts the token on each request, after each redirect anew."""

    async def put_token(request: "ClientRequest", send: Handler) -> "ClientResponse":
        request.headers.popall("Authorization", None)
        if not grant.platform.takes_token(str(request.url)):
            return await send(request)
        token = await grant.access_token()
        response = await send(_with(token, request))
        if response.status != UNAUTHORIZED:
            return response
        token = await grant.access_token(refused=token)
        if not _can_be_repeated(request):
            return response
        response.release()
        return await send(_with(token, request))

    return put_token


def _with(token: Secret, request: "ClientRequest") -> "ClientRequest":
    request.headers["Authorization"] = f"Bearer {token.reveal()}"
    return request


def _can_be_repeated(request: "ClientRequest") -> bool:
    from aiohttp.payload import BytesPayload  # noqa: PLC0415 - the SDK has brought it

    return isinstance(request.body, bytes | BytesPayload)
