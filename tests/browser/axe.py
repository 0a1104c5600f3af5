"""axe-core inside a page: what somebody with a keyboard, a reader or weak eyes would miss."""

from dataclasses import dataclass
from typing import Any, Literal

from playwright.sync_api import Page

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
RUN = """(tags) => axe.run(document, {
    runOnly: { type: "tag", values: tags },
    resultTypes: ["violations"],
})"""


@dataclass(frozen=True, slots=True)
class Axe:
    """Check pages with the script in *source*."""

    source: str

    def violations(self, page: Page) -> list[str]:
        """List what is wrong with *page* as it stands, in both colour schemes."""
        page.evaluate(self.source)
        found = []
        for scheme in SCHEMES:
            # Without motion the colours of the scheme are there at once.
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            answer: dict[str, Any] = page.evaluate(RUN, TAGS)
            assert answer["passes"]
            found += [f"{scheme}: {line}" for line in _lines(answer)]
        return found


def _lines(answer: dict[str, Any]) -> list[str]:
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in answer["violations"]
        for node in rule["nodes"]
    ]
