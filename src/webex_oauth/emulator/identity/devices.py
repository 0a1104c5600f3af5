"""The device grant (RFC 8628): a program shows a code, a person enters it in any browser."""

from dataclasses import dataclass, replace

from webex_oauth.emulator.conditions import BoundedDict, Conditions
from webex_oauth.emulator.identity import OAuthRefusal, Unredirectable
from webex_oauth.emulator.identity.integrations import Integration
from webex_oauth.emulator.identity.sign_ins import (
    AuthorizationRequest,
    ReturnAddress,
    registered_scopes,
)
from webex_oauth.emulator.world import Person

_CAPACITY = 10_000
_USER_CODES = 1_000_000


@dataclass(frozen=True, slots=True)
class Device:
    """A program that waits until a person decides."""

    code: str
    user_code: str
    link_code: str
    """Stands for the user code in `verification_uri_complete`."""
    request: AuthorizationRequest
    expires_at: int
    polled_at: int | None = None
    person: Person | None = None
    scopes: tuple[str, ...] = ()
    error: str = ""
    """Why it gets no tokens, if so it was decided."""


class Devices:
    """The programs that wait."""

    def __init__(self, conditions: Conditions) -> None:
        self._conditions = conditions
        self._device_by_code: BoundedDict[str, Device] = BoundedDict(_CAPACITY)

    def begin(self, integration: Integration, scope: str) -> Device:
        """Give a program its codes; raise `OAuthRefusal` for a scope that is not registered."""
        address = ReturnAddress(integration, "", None, is_redirect_uri_sent=False)
        scopes, user_code = registered_scopes(scope, integration), self._unused_user_code()
        device = Device(
            code=self._conditions.randomness.uuid(),
            user_code=user_code,
            link_code=self._conditions.randomness.hex(32),
            request=AuthorizationRequest(address, scopes, None, user_code=user_code),
            expires_at=self._now() + self._conditions.options.device_code_lifetime_seconds,
        )
        self._device_by_code[device.code] = device
        return device

    def find(self, code: str) -> Device | None:
        """Return the undecided device with this user code or link code."""
        typed = code.replace(" ", "").replace("-", "")
        for device in tuple(self._device_by_code.values()):
            is_waiting = device.person is None and device.expires_at > self._now()
            if is_waiting and typed in (device.user_code, device.link_code):
                return device
        return None

    def decide(
        self, user_code: str, person: Person, scopes: tuple[str, ...], error: str = ""
    ) -> None:
        """Note what a person decided; raise `Unredirectable` if the code has expired meanwhile."""
        device = self.find(user_code)
        if device is None:
            raise Unredirectable("expired_token", "The code of this device has expired.")
        decided = replace(device, person=person, scopes=scopes, error=error)
        self._device_by_code[device.code] = decided

    def redeem(self, code: str, client_id: str) -> tuple[Person, tuple[str, ...]]:
        """Return who granted which scopes to a device, once; raise `OAuthRefusal` until then.

        RFC 8628 section 3.5. Webex's front door sends the error's name as its message.
        """
        device, options = self._device_by_code.get(code), self._conditions.options
        if device is None or device.request.address.integration.client_id != client_id:
            raise OAuthRefusal("invalid_grant", "invalid_grant")
        if device.expires_at <= self._now():
            raise OAuthRefusal("expired_token", "expired_token")
        if device.error:
            raise OAuthRefusal(device.error, device.error)
        self._device_by_code[code] = replace(device, polled_at=self._now())
        waited_seconds = self._now() - (device.polled_at or 0)
        if 0 <= waited_seconds < options.device_interval_seconds:
            raise OAuthRefusal("slow_down", "slow_down")
        if device.person is None:
            status = options.device_pending_status
            raise OAuthRefusal("authorization_pending", "authorization_pending", status)
        del self._device_by_code[code]
        return device.person, device.scopes

    def _unused_user_code(self) -> str:
        while True:
            number = int(self._conditions.randomness.hex(8), 16) % _USER_CODES
            if self.find(f"{number:06}") is None:
                return f"{number:06}"

    def _now(self) -> int:
        return self._conditions.clock.now()
