"""What is public is typed completely, as pyright sees it, and nothing else is offered."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from installed.environments import ROOT, environment

import webex_oauth

PYRIGHT = Path(__file__).parent / "node_modules" / "pyright" / "index.js"
PACKAGE = "webex_oauth"
NEIGHBOURS = (
    *("fastapi", "flask", "django", "django-stubs", "requests", "types-requests", "httpx"),
    *("webexpythonsdk", "wxc-sdk", "pytest", "arq", "celery", "celery-types"),
)
# Django's own types need a plugin to know what a field is.
OF_DJANGO = tuple(f"{PACKAGE}.django.{name}." for name in ("apps", "migrations", "models"))
LIMIT_SECONDS = 120


def test_the_package_offers_its_names_and_no_other() -> None:
    assert dir(webex_oauth) == sorted(webex_oauth.__all__)


def test_every_public_name_has_a_known_type(tmp_path: Path) -> None:
    told = pyright("--verifytypes", PACKAGE, "--ignoreexternal", "--outputjson", folder=tmp_path)

    symbols = json.loads(told)["typeCompleteness"]["symbols"]
    offered = [one for one in symbols if one["isExported"] and is_public(one["name"])]
    assert len(offered) > len(webex_oauth.__all__)
    assert {one["name"]: why(one) for one in offered if not one["isTypeKnown"]} == {}


def test_the_examples_are_typed_as_a_reader_checks_them() -> None:
    assert pyright(".", folder=ROOT / "examples").startswith("0 errors, 0 warnings")


def pyright(*options: str, folder: Path) -> str:
    """Return what pyright says where every framework is installed; skip without it, but in CI."""
    if not PYRIGHT.exists() and "CI" not in os.environ:
        pytest.skip("pyright is not installed: scripts/install-services installs it")
    python = environment(*NEIGHBOURS, extras="app emulator")
    ended = subprocess.run(
        ["node", PYRIGHT, *options],  # noqa: S607 - wherever it is installed
        cwd=folder,
        env={"PATH": f"{python.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    return ended.stdout


def is_public(name: str) -> bool:
    """Return whether ARCHITECTURE.md promises the module of a name, or the package offers it."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    promise = text.partition("\nPublic: ")[2].partition("\n\n")[0]
    promised = re.findall(r"`webex_oauth\.(\w+)`", promise)
    if name.startswith(OF_DJANGO):
        return False
    return name.split(".")[1] in {*promised, *webex_oauth.__all__}


def why(symbol: dict[str, list[dict[str, str]]]) -> list[str]:
    """Return what pyright misses."""
    return [diagnostic["message"] for diagnostic in symbol["diagnostics"]]
