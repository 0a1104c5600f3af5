"""A strict reader of the documents that the application writes."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID_ELEMENTS = frozenset({"br", "hr", "img", "input", "link", "meta"})


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its name, its attributes and all text inside it."""

    name: str
    attributes: dict[str, str | None]
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text as a browser's textContent gives it."""
        return "".join(self.texts)


class Document(HTMLParser):
    """Read HTML; an element that is not closed in its turn raises ValueError."""

    def __init__(self, html: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self._open: list[Element] = []
        # As browsers do before they parse: a carriage return is a line feed.
        self.feed(html.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n"))
        self.close()
        if self._open:
            raise ValueError(f"{self._open[-1].name!r} is not closed")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        if len(element.attributes) != len(attrs):
            raise ValueError(f"{tag!r} has an attribute twice")
        self.elements.append(element)
        if tag not in VOID_ELEMENTS:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1].name != tag:
            raise ValueError(f"{tag!r} is closed out of turn")
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.texts.append(data)

    def named(self, name: str) -> list[Element]:
        """Return the elements of that name in document order."""
        return [element for element in self.elements if element.name == name]

    def texts(self, name: str) -> list[str]:
        """Return the text of each element of that name."""
        return [element.text for element in self.named(name)]

    @property
    def outline(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return all elements and the names of their attributes, without any text."""
        return [(element.name, tuple(element.attributes)) for element in self.elements]
