"""What tests control: the clock, the source of randomness, and the options."""

import base64
import hashlib
import secrets
import time
import uuid
from dataclasses import asdict, dataclass, fields, replace
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

LAST_INSTANT = 253_402_300_799
"""The end of the year 9999."""


class MovableClock:
    """The time in whole seconds; it runs with the machine's clock unless stopped."""

    def __init__(self, *, stopped_at: int | None = None) -> None:
        self._initially_stopped_at = stopped_at
        self._stopped_at = stopped_at
        self._offset_seconds = 0

    def now(self) -> int:
        """Return the present instant in seconds since 1970."""
        if self._stopped_at is not None:
            return self._stopped_at
        return int(time.time()) + self._offset_seconds

    def advance(self, seconds: int) -> int:
        """Move the clock by *seconds*, backwards when negative; return the new instant.

        Raise `ValueError` rather than leave the years 1970 to 9999.
        """
        if not 0 <= self.now() + seconds <= LAST_INSTANT:
            raise ValueError("the clock shows instants of the years 1970 to 9999")
        if self._stopped_at is not None:
            self._stopped_at += seconds
        else:
            self._offset_seconds += seconds
        return self.now()

    def set(self, now: int) -> None:
        """Make the present instant *now*; a running clock goes on running from there."""
        self.advance(now - self.now())

    def reset(self) -> None:
        """Go back to how the clock was made."""
        self._stopped_at = self._initially_stopped_at
        self._offset_seconds = 0


_MARK = "EMULATOR"
"""Stands where Webex names its cluster, so that an invented token is seen to be one."""


class Randomness:
    """Draw random values; the same seed draws the same values in the same order."""

    def __init__(self, seed: int | None = None) -> None:
        self._seed = seed
        self._drawn = 0

    def bytes(self, length: int) -> bytes:
        """Return *length* random bytes."""
        if self._seed is None:
            return secrets.token_bytes(length)
        self._drawn += 1
        material = f"{self._seed}:{self._drawn}".encode()
        return hashlib.shake_256(material).digest(length)

    def hex(self, length: int) -> str:
        """Return *length* random bytes as lower-case hexadecimal digits."""
        return self.bytes(length).hex()

    def uuid(self) -> str:
        """Return a random (version 4) UUID."""
        return str(uuid.UUID(bytes=self.bytes(16), version=4))

    def opaque(self, organization_uuid: str) -> str:
        """Return a token or code in Webex's form: random text, mark and organization.

        Only its two separators are underscores.
        """
        # Base64 of hexadecimal digits holds letters and digits only.
        text = base64.b64encode(self.hex(24).encode()).decode()
        return f"{text}_{_MARK}_{organization_uuid}"


RefreshMode = Literal["same", "rotate", "rotate+grace", "reuse-detect"]
ErrorShape = Literal["by_path", "gateway", "broker"]
Decryption = Literal["with_kms_scope", "always", "never"]

_HUNDRED_YEARS = 3_155_760_000
_MANY = 1_000_000
_Seconds = Annotated[int, Meta(ge=0, le=_HUNDRED_YEARS)]
_Count = Annotated[int, Meta(ge=0, le=_MANY)]
_Text = Annotated[str, Meta(max_length=2_000)]
_Texts = Annotated[tuple[_Text, ...], Meta(max_length=1_000)]


@dataclass(frozen=True, slots=True)
class Options:
    """Every switch of the emulator, with the default that is nearest to Webex.

    The descriptions are the table of docs/emulator.md, which scripts/write-options writes.
    """

    code_lifetime_seconds: Annotated[
        _Seconds, Meta(description="How long an authorization code can be redeemed.")
    ] = 600
    transaction_lifetime_seconds: Annotated[
        _Seconds, Meta(description="How long a person may take to decide.")
    ] = 600
    code_reuse_revokes_tokens: Annotated[
        bool, Meta(description="Whether a code that comes twice ends the grant it brought.")
    ] = False
    is_pkce_required: Annotated[
        bool, Meta(description="Whether a sign-in without `code_challenge` is refused.")
    ] = False
    is_state_returned_on_error: Annotated[
        bool, Meta(description="Whether an error that goes back carries the `state`.")
    ] = True
    is_error_description_sent: Annotated[
        bool, Meta(description="Whether an error that goes back carries `error_description`.")
    ] = True
    authorize_error: Annotated[
        _Text,
        Meta(description="An error to send back whatever the person decides; none when empty."),
    ] = ""
    callback_issuer: Annotated[
        _Text, Meta(description="The `iss` of the callback (RFC 9207); none when empty.")
    ] = ""
    blocked_client_ids: Annotated[
        _Texts,
        Meta(description="Integrations that an administrator blocked: sign-ins end on a page."),
    ] = ()

    access_token_lifetime_seconds: Annotated[
        _Seconds, Meta(description="How long an access token is good.")
    ] = 1_209_599
    refresh_token_lifetime_seconds: Annotated[
        _Seconds, Meta(description="How long a refresh token is good.")
    ] = 7_775_999
    access_token_quota: Annotated[
        _Count, Meta(description="How many access tokens a person may have; 0: no limit.")
    ] = 750
    granted_scopes: Annotated[
        _Texts | None, Meta(description="The most that a person grants; `null`: what was asked.")
    ] = None
    is_scope_in_answer: Annotated[bool, Meta(description="Whether a token answer has `scope`.")] = (
        True
    )
    refresh_mode: Annotated[
        RefreshMode,
        Meta(
            description="What a refresh does to the refresh token: keeps it, replaces it, "
            "replaces it but takes the old one for a while, or replaces it and ends the grant "
            "when the old one comes again."
        ),
    ] = "same"
    rotation_grace_seconds: Annotated[
        _Seconds, Meta(description="How long `rotate+grace` takes the old refresh token.")
    ] = 30
    is_refresh_token_omitted_on_refresh: Annotated[
        bool, Meta(description="Whether a refresh's answer lacks `refresh_token`.")
    ] = False
    refresh_extends_lifetime: Annotated[
        bool, Meta(description="Whether a refresh gives a kept refresh token its whole life anew.")
    ] = True
    refresh_revokes_access_tokens: Annotated[
        bool, Meta(description="Whether a refresh ends the grant's earlier access tokens.")
    ] = False
    error_shape: Annotated[
        ErrorShape,
        Meta(description="Whose error bodies the token and revocation endpoints send."),
    ] = "by_path"
    wrong_secret_status: Annotated[
        Literal[400, 401], Meta(description="The status for a wrong client secret.")
    ] = 401
    revoke_status: Annotated[
        int, Meta(ge=200, le=599, description="The status that confirms a revocation.")
    ] = 200
    logout_revokes_token: Annotated[
        bool, Meta(description="Whether logout revokes the token in its link.")
    ] = True

    is_www_authenticate_sent: Annotated[
        bool, Meta(description="Whether a 401 of the API carries `WWW-Authenticate`.")
    ] = False
    requests_per_minute: Annotated[
        _Count, Meta(description="The limit for each access token and API; 0: no limit.")
    ] = 300
    rooms_page_cap: Annotated[
        int, Meta(ge=1, le=_MANY, description="The most rooms on one page.")
    ] = 1000
    over_cap: Annotated[
        Literal["clamp", "refuse"], Meta(description="What a larger `max` gets: the cap, or 400.")
    ] = "clamp"
    title_decryption: Annotated[
        Decryption,
        Meta(description="When room titles are readable; else they carry a `kms_failure`."),
    ] = "with_kms_scope"
    stranger_room_status: Annotated[
        Literal[403, 404], Meta(description="The status for a room that the person is not in.")
    ] = 404


class Switchboard:
    """The options in force; raises `ValueError` for values that cannot be."""

    def __init__(self, options: Options) -> None:
        self._initial = self._current = _checked(options)

    @property
    def options(self) -> Options:
        """The options in force."""
        return self._current

    def change(self, **changes: Any) -> Options:
        """Switch some options, by name."""
        names = {field.name for field in fields(Options)}
        unknown = sorted(changes.keys() - names)
        if unknown:
            raise ValueError(
                f"there is no option {', '.join(unknown)}: there are {', '.join(sorted(names))}"
            )
        self._current = _checked(replace(self._current, **changes))
        return self._current

    def reset(self) -> None:
        """Go back to the options of the start."""
        self._current = self._initial


def _checked(options: Options) -> Options:
    try:
        return msgspec.convert(asdict(options), Options)
    except msgspec.ValidationError as cause:
        raise ValueError(str(cause)) from cause
