"""Where settings come from, a `.env` and the environment, and where the paths in them lead."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dotenv.parser import Binding, parse_stream

from webex_oauth.errors import ConfigurationError
from webex_oauth.settings.names import IGNORED_ENVIRONMENT, NAMES, cleaned, path_in, suggestion
from webex_oauth.vault.private_files import exposure

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
SECRET_NAMES = ("CLIENT_SECRET", "WEBEX_KEYS", "WEBEX_STORE_URL", "WEBEX_PROXY")
FOLDER_NAME: Final = "webex-oauth"
FOLDER_WITHOUT_HOME: Final = Path("/var/lib") / FOLDER_NAME


@dataclass(frozen=True, slots=True)
class Sources:
    """Variables from all places; `folder` is where what names no path of its own is kept."""

    variables: Mapping[str, str]
    folder: Path
    mistakes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def read_sources(env_file: Path | None, environment: Mapping[str, str]) -> Sources:
    """Read *env_file*, if there is one, and *environment*, which wins over it.

    Raises ConfigurationError if the file cannot be read.
    """
    here = Path.cwd()
    outside = {name: anchored(name, value, here) for name, value in environment.items()}
    relative = tuple(
        f"{name} is relative to the working folder, {here}: write the whole path"
        for name, value in outside.items()
        if value != environment[name]
    )
    if env_file is None:
        return Sources(outside, data_folder(environment), warnings=relative)
    if not env_file.exists():
        absent = f"{env_file} does not exist: check the path of --env-file"
        return Sources(outside, data_folder(environment), (absent,), relative)
    bindings = _read(env_file)
    told = _Told(env_file, bindings)
    folder = env_file.absolute().parent
    inside = {b.key: anchored(b.key, b.value, folder) for b in bindings if b.key and b.value}
    return Sources(
        {**inside, **outside},
        folder_beside(env_file),
        tuple(told.mistakes()),
        (*told.warnings(), *relative),
    )


def _read(env_file: Path) -> list[Binding]:
    try:
        with env_file.open(encoding="utf-8-sig") as file:
            return list(parse_stream(file))
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            [f"{env_file} cannot be read ({type(error).__name__}): save it as UTF-8 text"]
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigurationError(
            [f"{env_file} cannot be read ({reason}): check its path and rights"]
        ) from error


class _Told:
    """What is odd about a file."""

    def __init__(self, path: Path, bindings: list[Binding]) -> None:
        self._path = path
        self._bindings = bindings

    def mistakes(self) -> Iterator[str]:
        for binding in self._bindings:
            text = binding.original.string.strip()
            if binding.error or (binding.key and not _is_name(binding.key)):
                yield (
                    f"{self._line(binding)} is not NAME=value: is it the rest of the line before? "
                    "Put a value on one line, and close its quotes"
                )
            elif binding.key in NAMES and binding.value is None:
                yield f"{self._line(binding)} has no value: write {text}=..."

    def warnings(self) -> Iterator[str]:
        lines: dict[str, int] = {}
        for binding in self._bindings:
            if binding.key is None or not _is_name(binding.key):
                continue
            if binding.key in lines:
                yield (
                    f"{binding.key} stands twice in {self._path} (lines {lines[binding.key]} and "
                    f"{binding.original.line}): the last one counts, remove the other"
                )
            lines[binding.key] = binding.original.line
            # Names of WEBEX_... are looked at wherever they come from.
            if binding.key not in NAMES and not binding.key.startswith("WEBEX_"):
                guess = suggestion(binding.key, NAMES)
                if guess:
                    yield f"{self._line(binding)}: {binding.key} is not a setting{guess}"
        told = exposure(self._path)
        if told is not None and any(name in lines for name in SECRET_NAMES):
            yield told

    def _line(self, binding: Binding) -> str:
        return f"line {binding.original.line} of {self._path}"


def _is_name(key: str) -> bool:
    return NAME.fullmatch(key) is not None


def data_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of this user's data (XDG base directories)."""
    stated = environment.get("XDG_DATA_HOME", "")
    if Path(stated).is_absolute():
        return Path(stated) / FOLDER_NAME
    # expanduser leaves the tilde where the user has no home.
    home = Path(environment.get("HOME", "") or os.path.expanduser("~"))  # noqa: PTH111
    return home / ".local/share" / FOLDER_NAME if home.is_absolute() else FOLDER_WITHOUT_HOME


def folder_beside(env_file: Path) -> Path:
    """Return the folder of data beside a `.env`."""
    return env_file.absolute().parent / f".{FOLDER_NAME}"


def anchored(name: str, value: str, folder: Path) -> str:
    """Return *value* with the path in it whole: a relative one is below *folder*."""
    path = path_in(name, value)
    if not path or path[0] in "~$":
        return value
    return f"{value.removesuffix(path)}{folder / path}"


YES_OR_NO: Final = {"yes": True, "no": False}


class Collector:
    """The values as they were meant; `mistakes` and `warnings` say what is wrong with them."""

    def __init__(self, sources: Sources) -> None:
        self.mistakes = list(sources.mistakes)
        self.warnings = list(sources.warnings)
        self._variables = {n: self._cleaned(n, v) for n, v in sources.variables.items()}

    def _cleaned(self, name: str, value: str) -> str:
        if not isinstance(value, str):
            raise TypeError(f"{name} is no text: settings are read of texts, as in os.environ")
        if name not in NAMES:
            return value.strip()
        text, mistakes = cleaned(name, value)
        self.mistakes.extend(mistakes)
        return text

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

    def whole_number(self, name: str, default: int, lowest: int, highest: int) -> int:
        """Read a whole number within bounds."""
        text = self.value(name)
        if not text:
            return default
        if not re.fullmatch(r"[0-9]{1,9}", text) or not lowest <= int(text) <= highest:
            self.mistakes.append(f"{name} must be a whole number from {lowest} to {highest}")
            return default
        return int(text)

    def yes_or_no(self, name: str, *, default: bool) -> bool:
        """Read yes or no."""
        text = self.value(name).lower()
        if text and text not in YES_OR_NO:
            self.mistakes.append(f"{name} must be yes or no")
        return YES_OR_NO.get(text, default)

    def warn_of_what_is_ignored(self) -> None:
        """Warn of names that do nothing here."""
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
