"""What a test controls: the clock, the source of randomness, and the options. And one bound."""

import base64
import hashlib
import secrets
import time
import uuid
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

_LAST_INSTANT = 253_402_300_799  # the end of the year 9999
_HUNDRED_YEARS = 3_155_760_000
_MANY = 1_000_000
# Stands where Webex names its cluster, so that an invented token is seen to be one.
_TOKEN_MARK = "EMULATOR"  # noqa: S105 - a mark, no token

_Seconds = Annotated[int, Meta(ge=0, le=_HUNDRED_YEARS)]
_Count = Annotated[int, Meta(ge=0, le=_MANY)]
_Text = Annotated[str, Meta(max_length=2_000)]
_Texts = Annotated[tuple[_Text, ...], Meta(max_length=1_000)]

Key = TypeVar("Key")
Value = TypeVar("Value")
RefreshMode = Literal["same", "rotate", "rotate+grace", "reuse-detect"]


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Switches for what is unknown of Webex or worth varying; each default is nearest to Webex.

    The descriptions are the table of docs/emulator.md, which scripts/write-options writes.
    """

    code_lifetime_seconds: _Seconds = 600
    """How long an authorization code can be redeemed."""
    transaction_lifetime_seconds: _Seconds = 600
    """How long a person may take to decide."""
    code_reuse_revokes_tokens: bool = False
    """Whether presenting a code a second time ends the grant it brought."""
    is_pkce_required: bool = False
    """Whether a sign-in without `code_challenge` is refused."""
    is_state_returned_on_error: bool = True
    """Whether an error redirect carries the `state`."""
    is_error_description_sent: bool = True
    """Whether an error redirect carries `error_description`."""
    authorize_error: _Text = ""
    """An error to send back whatever the person decides; none when empty."""
    callback_issuer: _Text = ""
    """The `iss` of the callback (RFC 9207); none when empty."""
    blocked_client_ids: _Texts = ()
    """Integrations that an administrator blocked: their sign-ins end on a page."""

    device_code_lifetime_seconds: _Seconds = 300
    """How long a device waits for a person."""
    device_interval_seconds: _Seconds = 2
    """How long a device must wait between its requests, else `slow_down`."""
    device_pending_status: Literal[400, 428] = 428
    """The status while a person has not decided; RFC 8628 has 400."""
    device_access_token_lifetime_seconds: _Seconds = 64_799
    """How long the access token is valid that a device gets for its code."""

    access_token_lifetime_seconds: _Seconds = 1_209_599
    """How long an access token is valid."""
    refresh_token_lifetime_seconds: _Seconds = 7_775_999
    """How long a refresh token is valid."""
    access_token_quota: _Count = 750
    """How many valid access tokens a person may have; 0: no limit."""
    granted_scopes: _Texts | None = None
    """The most that a person grants; `null`: everything that was requested."""
    is_scope_in_answer: bool = True
    """Whether a token response has `scope`."""
    refresh_mode: RefreshMode = "same"
    """What a refresh does to the refresh token: keep it, replace it, replace it but accept the old
    one for a while, or replace it and end the grant when the old one is presented again."""
    rotation_grace_seconds: _Seconds = 30
    """How long `rotate+grace` accepts the old refresh token."""
    is_refresh_token_omitted_on_refresh: bool = False
    """Whether the response to a refresh lacks `refresh_token`."""
    refresh_extends_lifetime: bool = True
    """Whether a refresh restarts the lifetime of a refresh token that is kept."""
    refresh_revokes_access_tokens: bool = False
    """Whether a refresh ends the grant's earlier access tokens."""
    error_shape: Literal["by_path", "gateway", "broker"] = "by_path"
    """Whose error bodies the token and revocation endpoints send."""
    wrong_secret_status: Literal[400, 401] = 401
    """The status for a wrong client secret."""
    revoke_status: Annotated[int, Meta(ge=200, le=599)] = 200
    """The status that confirms a revocation."""
    logout_revokes_token: bool = True
    """Whether logout revokes the token in its link."""

    is_www_authenticate_sent: bool = False
    """Whether a 401 of the API carries `WWW-Authenticate`."""
    requests_per_minute: _Count = 300
    """The rate limit for each access token and API; 0: no limit."""
    page_cap: Annotated[int, Meta(ge=1, le=_MANY)] = 1000
    """The most items on one page."""
    over_cap: Literal["clamp", "refuse"] = "clamp"
    """The answer to a larger `max`: a page of the most items, or 400."""
    decryption: Literal["with_kms_scope", "always", "never"] = "with_kms_scope"
    """When titles and messages are readable; otherwise titles carry a `kms_failure`, and messages
    have no text."""
    stranger_room_status: Literal[403, 404] = 404
    """The status for a room that the person is not in."""


class MovableClock:
    """The time in whole seconds; it runs with the machine's clock unless stopped."""

    def __init__(self, *, stopped_at: int | None = None) -> None:
        self._initially_stopped_at = stopped_at
        self.reset()

    def now(self) -> int:
        """Return the present instant in seconds since 1970."""
        running = int(time.time()) if self._stopped_at is None else self._stopped_at
        return running + self._offset_seconds

    def advance(self, seconds: int) -> int:
        """Move the clock by *seconds*, backwards when negative; return the new instant.

        Raise `ValueError` rather than leave the years 1970 to 9999.
        """
        if not 0 <= self.now() + seconds <= _LAST_INSTANT:
            raise ValueError("the clock shows instants of the years 1970 to 9999")
        self._offset_seconds += seconds
        return self.now()

    def set(self, now: int) -> None:
        """Make the present instant *now*; a running clock continues from there."""
        self.advance(now - self.now())

    def reset(self) -> None:
        """Return to how the clock was made."""
        self._stopped_at = self._initially_stopped_at
        self._offset_seconds = 0

    def stop(self) -> None:
        """Stand still until `reset`, but for `advance` and `set`."""
        self._stopped_at = self.now() - self._offset_seconds


class Randomness:
    """A source of random values; the same seed draws the same values in the same order."""

    def __init__(self, seed: int | None = None) -> None:
        self._seed = seed
        self._drawn = 0

    def hex(self, length: int) -> str:
        """Return *length* random bytes as lower-case hexadecimal digits."""
        if self._seed is None:
            return secrets.token_hex(length)
        self._drawn += 1
        material = f"{self._seed}:{self._drawn}".encode()
        return hashlib.shake_256(material).hexdigest(length)

    def uuid(self) -> str:
        """Return a random (version 4) UUID."""
        return str(uuid.UUID(self.hex(16), version=4))

    def opaque(self, organization_uuid: str) -> str:
        """Return a token or code in Webex's form: random text, mark and organization.

        Only its two separators are underscores.
        """
        # Base64 of hexadecimal digits contains letters and digits only.
        text = base64.b64encode(self.hex(24).encode()).decode()
        return f"{text}_{_TOKEN_MARK}_{organization_uuid}"


class BoundedDict(dict[Key, Value]):
    """A dictionary with room for *capacity* entries: the oldest makes way for a new one."""

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self._capacity = capacity

    def __setitem__(self, key: Key, value: Value) -> None:
        """Store a value; a known key keeps its place in the order."""
        super().__setitem__(key, value)
        if len(self) > self._capacity:
            del self[next(iter(self))]


def checked(value: object, kind: type[Value]) -> Value:
    """Return *value* as a *kind*, whose constructor does not check; raise `ValueError`."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as cause:
        raise ValueError(str(cause)) from cause


class Conditions:
    """The clock, the randomness and the options in force."""

    def __init__(
        self,
        clock: MovableClock | None = None,
        randomness: Randomness | None = None,
        options: Options | None = None,
    ) -> None:
        self.clock: MovableClock = clock or MovableClock()
        """The clock that decides what has expired."""
        self.randomness: Randomness = randomness or Randomness()
        given = msgspec.structs.asdict(options or Options())
        self.options: Options = checked(given, Options)
        """The options in force."""
        self._initial_options = self.options

    def change_options(self, **changes: Any) -> Options:
        """Change some options, by name; raise `ValueError` for what is not possible."""
        known = msgspec.structs.asdict(self.options)
        unknown = sorted(changes.keys() - known.keys())
        if unknown:
            raise ValueError(
                f"there is no option {', '.join(unknown)}: there are {', '.join(sorted(known))}"
            )
        self.options = checked({**known, **changes}, Options)
        return self.options

    def reset(self) -> None:
        """Return to the clock and the options of the start."""
        self.clock.reset()
        self.options = self._initial_options
