"""Stores by their URL; a driver that is not installed stops only those who ask for it."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest

from webex_oauth.errors import ConfigurationError
from webex_oauth.integration.store_urls import store_at


class NotInstalled:
    """Be an installation that lacks some packages."""

    def __init__(self, packages: Sequence[str]) -> None:
        self._packages = packages

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None,  # noqa: ARG002 - importlib's signature
        target: ModuleType | None = None,  # noqa: ARG002 - importlib's signature
    ) -> ModuleSpec | None:
        if name.partition(".")[0] in self._packages:
            raise ModuleNotFoundError(name, name=name)
        return None


@contextmanager
def without(*packages: str) -> Iterator[None]:
    """Let *packages*, and what of ours uses them, be neither loaded nor found."""
    finder, ours = (
        NotInstalled(packages),
        ("webex_oauth.stores.postgres", "webex_oauth.stores.redis"),
    )
    gone = {
        name: module
        for name, module in sys.modules.items()
        if name.partition(".")[0] in packages or name.startswith(ours)
    }
    for name in gone:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        sys.modules.update(gone)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("memory:", "MemoryStore"),
        ("sqlite:///vault.sqlite", "SqliteStore"),
        ("postgresql://me:word@127.0.0.1/d", "PostgresStore"),
        ("redis://:word@127.0.0.1", "RedisStore"),
        ("rediss://:word@127.0.0.1", "RedisStore"),
    ],
)
def test_a_url_names_its_store(url: str, kind: str) -> None:
    assert type(store_at(url)).__name__ == kind


@pytest.mark.parametrize(
    ("url", "packages", "extra"),
    [
        ("postgresql://h/d", ("psycopg", "psycopg_pool"), "postgres"),
        ("redis://h", ("redis",), "redis"),
        ("rediss://h", ("redis",), "redis"),
    ],
)
def test_a_driver_that_is_missing_is_named_with_its_extra(
    url: str, packages: tuple[str, ...], extra: str
) -> None:
    with without(*packages), pytest.raises(ConfigurationError) as caught:
        store_at(url)

    (mistake,) = caught.value.mistakes
    assert mistake.startswith(
        f"WEBEX_STORE_URL: the driver for {url.partition(':')[0]}: is not installed"
    )
    assert f"pip install 'PATH-OR-URL-OF-WEBEX-OAUTH[{extra}]'" in mistake


def test_who_needs_no_driver_needs_no_driver() -> None:
    with without("psycopg", "psycopg_pool", "redis"):
        assert type(store_at("sqlite:///vault.sqlite")).__name__ == "SqliteStore"


def test_another_url_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError):
        store_at("mysql://h/d")
