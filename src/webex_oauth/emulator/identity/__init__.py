"""The authorization server of the local Webex: integrations, sign-ins, devices and tokens."""


class OAuthRefusal(Exception):
    """An OAuth request that is answered with an error. RFC 6749 sections 4.1.2.1 and 5.2."""

    def __init__(
        self, error: str, description: str, status: int = 400, *, message: str = ""
    ) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.message: str = message or description
        self.status = status


class Unredirectable(OAuthRefusal):
    """A refusal that must not be answered by a redirect, because its target is not verified."""
