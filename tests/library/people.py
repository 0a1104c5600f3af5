"""People of a local Webex, and how they come to a program's grants."""

from pathlib import Path

from webex_oauth import AsyncGrant, AsyncIntegration, Grant, Integration, Secret, Settings
from webex_oauth.emulator import Emulator, Visitor, sample_env

LUCA = "luca@acme.example"
MIRA = "mira@acme.example"
SCOPES = ("spark:people_read", "spark:rooms_read")


class World:
    """An integration that is registered at *emulator*; its `.env` is in *folder*."""

    def __init__(
        self, emulator: Emulator, folder: Path, redirect_uri: str = "http://localhost:8080/oauth"
    ) -> None:
        self.emulator = emulator
        self.folder = folder
        self.env_file = folder / ".env"
        self.registered = emulator.register(redirect_uri)
        self.env_file.write_text(sample_env(self.registered, emulator.origin))
        self.settings = Settings.from_env(self.env_file, {})

    def issued(self, email: str, *more_scopes: str) -> tuple[Secret, Secret]:
        """Return tokens of a person that were issued elsewhere."""
        person = self.emulator.world.person_by_email(email)
        assert person
        issued = self.emulator.grant_without_consent(
            person, scopes=(*self.settings.scopes, *more_scopes), integration=self.registered
        )
        assert issued.refresh_token
        return Secret(issued.access_token.value), Secret(issued.refresh_token.value)

    async def adopt(self, webex: AsyncIntegration, email: str) -> AsyncGrant:
        return await webex.grants.adopt(*self.issued(email), scopes=self.settings.scopes)

    def adopt_now(self, webex: Integration, email: str, *more_scopes: str) -> Grant:
        scopes = (*self.settings.scopes, *more_scopes)
        return webex.grants.adopt(*self.issued(email, *more_scopes), scopes=scopes)

    def callback(self, url: str, email: str, decision: str = "accept") -> str:
        """Return the query of the callback after *email* has decided."""
        visited = Visitor().sign_in(url, email, "decline" if decision == "decline" else "accept")
        return visited.partition("?")[2]


def cookies_of(set_cookies: tuple[str, ...]) -> dict[str, str]:
    """Return what a browser presents after these were set."""
    pairs = [cookie.partition(";")[0].partition("=") for cookie in set_cookies]
    return {name: value for name, _, value in pairs}
