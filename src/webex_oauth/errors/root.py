"""The root of the errors, and the configuration's."""

from collections.abc import Sequence


class WebexOAuthError(Exception):
    """Base class of all webex-oauth errors: `str()` says what happened, then the `remedy`."""

    remedy: str = "report this to the maintainers of webex-oauth"

    def __str__(self) -> str:
        return f"{super().__str__()}; {self.remedy}"


class ConfigurationError(WebexOAuthError):
    """All mistakes of a configuration at once, each with its remedy.

    `warnings` are what the operator should know besides.
    """

    remedy = "change the settings that are named; `webex-oauth check-config` checks them again"

    def __init__(self, mistakes: Sequence[str], warnings: Sequence[str] = ()) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = tuple(mistakes)
        self.warnings = tuple(warnings)

    def __str__(self) -> str:
        return "; ".join(self.mistakes)


def said(message: str | None, tracking_id: str | None = None) -> str:
    """Write what the other side said of its refusal, and its reference."""
    said = "" if message is None else f": {message.removesuffix('.')}"
    return said if tracking_id is None else f"{said} (tracking id {tracking_id})"


def come_back(seconds: int) -> str:
    return f"come back in {seconds} s"
