"""What can be switched where Webex's behaviour is unknown, configurable, or worth varying."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

import msgspec

RefreshMode = Literal["same", "rotate", "rotate+grace", "reuse-detect"]
ErrorShape = Literal["by_path", "gateway", "broker"]
Decryption = Literal["with_kms_scope", "always", "never"]


@dataclass(frozen=True, slots=True)
class Options:
    """Every switch of the emulator, with the default that is nearest to Webex."""

    # Authorization
    code_lifetime_seconds: int = 600
    transaction_lifetime_seconds: int = 600
    code_reuse_revokes_tokens: bool = False
    is_pkce_required: bool = False
    is_state_returned_on_error: bool = True
    is_error_description_sent: bool = True
    authorize_error: str = ""
    """An error to send back instead of a code, whatever the person decides."""
    callback_issuer: str = ""
    """The `iss` to add to the callback (RFC 9207); none when empty."""
    blocked_client_ids: tuple[str, ...] = ()
    """Integrations that an administrator has blocked: their sign-ins end on a page."""

    # Tokens
    access_token_lifetime_seconds: int = 1_209_599
    refresh_token_lifetime_seconds: int = 7_775_999
    access_token_quota: int = 750
    granted_scopes: tuple[str, ...] | None = None
    """The most that a person grants, whatever was asked; everything when None."""
    is_scope_in_answer: bool = True
    refresh_mode: RefreshMode = "same"
    rotation_grace_seconds: int = 30
    is_refresh_token_omitted_on_refresh: bool = False
    refresh_extends_lifetime: bool = True
    refresh_revokes_access_tokens: bool = False
    error_shape: ErrorShape = "by_path"
    wrong_secret_status: Literal[400, 401] = 401
    revoke_status: int = 200
    logout_revokes_token: bool = True

    # API
    is_www_authenticate_sent: bool = False
    requests_per_minute: int = 300
    """For each access token and API; 0 means no limit."""
    rooms_page_cap: int = 1000
    over_cap: Literal["clamp", "refuse"] = "clamp"
    title_decryption: Decryption = "with_kms_scope"
    """When room titles are readable; otherwise they carry a `kms_failure`."""
    stranger_room_status: Literal[403, 404] = 404


class Switchboard:
    """Hold the options in force."""

    def __init__(self, options: Options) -> None:
        self._initial = options
        self._current = options

    @property
    def options(self) -> Options:
        """The options in force."""
        return self._current

    def change(self, **changes: Any) -> Options:
        """Switch some options, by name; raise `ValueError` for names and values that are none."""
        unknown = changes.keys() - {field.name for field in fields(Options)}
        if unknown:
            raise ValueError(f"unknown options: {', '.join(sorted(unknown))}")
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
