"""The values of settings, cleaned, by their names; every mistake in them is collected."""

import re
from collections.abc import Callable
from typing import Final

from webex_oauth.settings.names import IGNORED_ENVIRONMENT, NAMES, cleaned, path_in, suggestion
from webex_oauth.settings.variables import Sources

YES_OR_NO: Final = {"yes": True, "no": False}


class Collector:
    """The values as they were meant; `mistakes` and `warnings` say what is wrong with them."""

    def __init__(self, sources: Sources) -> None:
        self.mistakes = list(sources.mistakes)
        self.warnings = list(sources.warnings)
        self._base = sources.base
        self._variables = {n: self._cleaned(n, v) for n, v in sources.variables.items()}

    def _cleaned(self, name: str, value: str) -> str:
        """Return the value as it was meant; a path in it is made absolute."""
        if not isinstance(value, str):
            raise TypeError(f"{name} is not text: settings are read from text, as in os.environ")
        if name not in NAMES:
            return value.strip()
        text, mistakes = cleaned(name, value)
        self.mistakes.extend(mistakes)
        path = path_in(name, text)
        return f"{text.removesuffix(path)}{self._base / path}" if path else text

    def value(self, name: str) -> str:
        """Return the value of *name*; nothing if it is not set."""
        return self._variables.get(name, "")

    def add(self, mistake: str | None) -> None:
        """Collect a mistake, if it is one."""
        if mistake is not None:
            self.mistakes.append(mistake)

    def warn(self, warning: str | None) -> None:
        """Collect a warning, if it is one."""
        if warning is not None:
            self.warnings.append(warning)

    def checked(self, name: str, remedy_of: Callable[[str], str | None]) -> str:
        """Return the value of *name*; nothing if it is not set or wrong."""
        text = self.value(name)
        remedy = remedy_of(text) if text else None
        self.add(remedy)
        return "" if remedy else text

    def whole_number(self, name: str, default: int, lowest: int, highest: int) -> int:
        """Return a whole number within bounds."""
        text = self.value(name)
        if not text:
            return default
        if not re.fullmatch(r"[0-9]{1,9}", text) or not lowest <= int(text) <= highest:
            self.mistakes.append(f"{name} must be a whole number from {lowest} to {highest}")
            return default
        return int(text)

    def yes_or_no(self, name: str, *, default: bool) -> bool:
        """Return whether a setting says yes."""
        text = self.value(name).lower()
        if text and text not in YES_OR_NO:
            self.mistakes.append(f"{name} must be yes or no")
        return YES_OR_NO.get(text, default)

    def warn_of_ignored_names(self) -> None:
        """Warn of names that have no effect here."""
        if self.value("STATE"):
            self.warnings.append(
                "STATE is ignored: a state that never changes protects nobody, because anyone "
                "who has seen it once can forge a callback; every sign-in gets its own"
            )
        for name, remedy in IGNORED_ENVIRONMENT.items():
            if self.value(name) or self.value(name.lower()):
                self.warnings.append(f"{name} is ignored: {remedy}")
        for name in self._variables:
            if name.startswith("WEBEX_") and name not in NAMES:
                self.warnings.append(f"{name} is not a setting{suggestion(name, NAMES)}")
