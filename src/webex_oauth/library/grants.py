"""Grants as programs hold them: a snapshot of what a person allowed, with the verbs to use it."""

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Literal, Self, TypeAlias, TypeVar

from msgspec.json import encode

from webex_oauth.errors import MissingScope, ReauthReason, ReauthRequired
from webex_oauth.flows.person_api import PatientApi, PersonApi
from webex_oauth.integration import OpenIntegration
from webex_oauth.secret import Secret
from webex_oauth.settings import Settings
from webex_oauth.vault import records
from webex_oauth.vault.finding import grant_meant, grant_of_person, grant_with_email
from webex_oauth.vault.vault import DEFAULT_MIN_TTL_SECONDS
from webex_oauth.webex.api import Call, Listing, Page
from webex_oauth.webex.own_requests import ApiResponse
from webex_oauth.webex.platform import Platform
from webex_oauth.webex.scopes import permits

Status: TypeAlias = Literal["active", "reauth_required"]
"""Whether a grant can be used, or only the person can help."""

WAIT_SECONDS: Final = 60.0
"""How long a call waits by itself when Webex asks to come back later."""

BATCH: Final = 100

Result = TypeVar("Result")
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one person allowed, as it was when it was read.

    `person_id` is the id that Webex's API shows, and names the grant for good; the rest of the
    profile is None where Webex would not say. `reason` says why only the person can help, if
    `status` is "reauth_required". Instants are seconds since 1970; `ends_at` is when the last token
    ends, None if Webex did not say.
    """

    person_id: str
    display_name: str | None
    email: str | None
    org_id: str | None
    scopes: frozenset[str]
    status: Status
    reason: ReauthReason | None
    issued_at: int
    ends_at: int | None

    def require(self, *scopes: str) -> Self:
        """Return this grant if the person allowed all *scopes*; raise MissingScope."""
        missing = [scope for scope in scopes if not permits(self.scopes, scope)]
        if missing:
            raise MissingScope(missing, self.person_id)
        return self


@dataclass(frozen=True, slots=True)
class AsyncGrant(Snapshot):
    """What one person allowed. The fields are a snapshot; the verbs look at what is kept now.

    Every verb raises ReauthRequired if only the person can help, and TemporaryError for what
    passes. Those that call Webex raise ApiError if it refuses, and wait *wait_seconds* in all when
    it asks to come back later.
    """

    _key: bytes = field(repr=False)
    _opened: Callable[[], OpenIntegration] = field(repr=False, compare=False)

    async def access_token(
        self, *, min_ttl_seconds: int = DEFAULT_MIN_TTL_SECONDS, refused: Secret | None = None
    ) -> Secret:
        """Return an access token that is good for *min_ttl_seconds*, refreshed if needed.

        *refused* is a token that the API did not accept: it is never returned again.
        """
        vault = self._opened().vault
        with self._naming():
            if refused is not None:
                return await vault.refreshed(self._key, refused)
            return await vault.access_token(self._key, min_ttl_seconds=min_ttl_seconds)

    async def call(self, call: Call[Result], *, wait_seconds: float = WAIT_SECONDS) -> Result:
        """Ask Webex a question that has one answer, such as `people.me()`."""
        with self._naming():
            return await self._api(wait_seconds).call(call)

    async def pages(
        self, listing: Listing[Item], *, wait_seconds: float = WAIT_SECONDS
    ) -> AsyncIterator[Page[Item]]:
        """Yield a list page by page, such as `rooms.listing()`."""
        with self._naming():
            async for page in self._api(wait_seconds).pages(listing):
                yield page

    async def items(
        self, listing: Listing[Item], *, wait_seconds: float = WAIT_SECONDS
    ) -> AsyncIterator[Item]:
        """Yield a list item by item; pages are fetched as they are needed."""
        async for page in self.pages(listing, wait_seconds=wait_seconds):
            for item in page.items:
                yield item

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        wait_seconds: float = WAIT_SECONDS,
    ) -> ApiResponse:
        """Send any request to Webex's API; *path* is below its base URL, such as "people/me".

        Returns an answer of 2xx. Raises ValueError for what would not go to the API.
        """
        own = dict(headers or {})
        if json is not None:
            content, own["content-type"] = encode(json), "application/json"
        with self._naming():
            return await self._api(wait_seconds).request(
                method, path, params=params, content=content, headers=own
            )

    @property
    def platform(self) -> Platform:
        """The Webex that knows this grant: where its API is, and where its tokens may go."""
        return self._opened().context.platform

    async def revoke(self) -> None:
        """End the grant and all sessions of the person here first, then its tokens at Webex."""
        await self._opened().sessions.disconnect(self._key)

    def _api(self, wait_seconds: float) -> PatientApi:
        opened = self._opened()
        return PatientApi(opened.context, opened.vault, self._key, wait_seconds)

    @contextmanager
    def _naming(self) -> Iterator[None]:
        """Name the person in an error that only they can mend."""
        try:
            yield
        except ReauthRequired as error:
            error.person_id = self.person_id
            raise


def api_of(grant: AsyncGrant) -> PersonApi:
    """Return Webex's API as the person of *grant*, for what has no verb there."""
    return grant._api(0.0)  # noqa: SLF001 - of this module


def settings_of(grant: AsyncGrant) -> Settings:
    """Return the settings of the integration that *grant* belongs to."""
    return grant._opened().settings  # noqa: SLF001 - of this module


def grant_of(record: records.Grant, opened: Callable[[], OpenIntegration]) -> AsyncGrant:
    """Return the snapshot of a stored grant."""
    profile = record.profile
    reason = record.reauth_reason
    return AsyncGrant(
        person_id=profile.person_id or record.subject,
        display_name=profile.display_name,
        email=profile.email,
        org_id=profile.org_id,
        scopes=record.scopes,
        status="active" if reason is None else "reauth_required",
        reason=None if reason is None else ReauthReason(reason),
        issued_at=record.issued_at,
        ends_at=record.ends_at,
        _key=record.key,
        _opened=opened,
    )


class AsyncGrants:
    """The grants that are kept."""

    def __init__(self, opened: Callable[[], OpenIntegration]) -> None:
        self._opened = opened

    async def get(self, person_id: str) -> AsyncGrant:
        """Return the grant of a person; raise GrantNotFound."""
        if not isinstance(person_id, str):
            raise TypeError(f"a person id is text, not {type(person_id).__name__}")
        context = self._opened().context
        issuer = context.platform.server.issuer
        return grant_of(await grant_of_person(context.ledger, issuer, person_id), self._opened)

    async def find(self, *, email: str) -> AsyncGrant | None:
        """Return the grant of the person with this address; None if there is none, or several.

        For people who type. Addresses change hands: let none decide what somebody may do.
        """
        if not isinstance(email, str):
            raise TypeError(f"an e-mail address is text, not {type(email).__name__}")
        found = await grant_with_email(self._opened().context.ledger, email)
        return None if found is None else grant_of(found, self._opened)

    async def one(self) -> AsyncGrant:
        """Return the grant of the person that the settings name, or the only one there is.

        Raises GrantNotFound, which names the candidates.
        """
        settings, ledger = self._opened().settings, self._opened().context.ledger
        issuer = settings.platform.server.issuer
        return grant_of(await grant_meant(ledger, issuer, settings.person), self._opened)

    async def list(
        self, *, status: Status | None = None, org_id: str | None = None
    ) -> AsyncIterator[AsyncGrant]:
        """Yield all grants, of one *status* or organization if that is given."""
        after = b""
        while found := await self._opened().context.ledger.list_grants(after, BATCH):
            for entry in found:
                grant = grant_of(entry.record, self._opened)
                if status in {None, grant.status} and org_id in {None, grant.org_id}:
                    yield grant
            after = found[-1].record.key

    async def adopt(
        self,
        access_token: Secret,
        refresh_token: Secret | None,
        *,
        scopes: Collection[str],
        expires_in: int | None = None,
    ) -> AsyncGrant:
        """Keep tokens that were issued elsewhere to this integration; ask Webex whose they are.

        *scopes* are the granted ones, *expires_in* the seconds until the access token ends. One
        that has ended is refreshed first. Raises what the verbs of a grant raise; after a
        TemporaryError adopt the same tokens again: none that came meanwhile is lost.
        """
        opened = self._opened()
        key = await opened.adoption.adopt(
            access_token, refresh_token, scopes=scopes, expires_in=expires_in
        )
        return grant_of(await opened.vault.grant(key), self._opened)
