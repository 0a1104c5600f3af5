"""A witness: everything that a browser asks for, says and shows outside its pages."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Request, WebError


@dataclass
class Witness:
    """Record requests, console lines, uncaught script errors and dialogs of a browser.

    *origins* are the servers that it may talk to.
    """

    origins: set[str]
    requests: list[Request] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    script_errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        """Record what *context* does from now on."""
        context.on("request", self._note_request)
        context.on("console", self._hear)
        context.on("weberror", self._note_error)
        context.on("dialog", self._dismiss)

    def strangers(self) -> set[str]:
        """Name the origins that were asked for something and should not have been."""
        return {origin_of(request.url) for request in self.requests} - self.origins

    def complaints(self) -> list[str]:
        """List the errors and warnings that the console shows."""
        return [line for line in self.console if line.startswith(("error:", "warning:"))]

    def urls(self, path: str) -> list[str]:
        """List the requested URLs with this path."""
        return [one.url for one in self.requests if urlsplit(one.url).path == path]

    def referers(self) -> set[str]:
        """List every Referer header that was sent."""
        return {one.headers.get("referer", "") for one in self.requests} - {""}

    def _note_request(self, request: Request) -> None:
        self.requests.append(request)

    def _hear(self, message: ConsoleMessage) -> None:
        self.console.append(f"{message.type}: {message.text}")

    def _note_error(self, error: WebError) -> None:
        self.script_errors.append(str(error.error))

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


def origin_of(url: str) -> str:
    """Return the origin of *url*."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
