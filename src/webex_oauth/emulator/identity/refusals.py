"""Refusals: what the identity broker says no to, and in which words."""


class OAuthRefusal(Exception):
    """An OAuth request that is answered with an error. RFC 6749 sections 4.1.2.1 and 5.2."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status
