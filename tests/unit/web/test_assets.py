"""The files that pages load."""

import hashlib
import re

import pytest

from webex_oauth.web.rendering import Assets

PUBLISHED_WATER_CSS = "4124fdd16cf3e0f12be4a95c95068e0ac8dcd34153c9ff3a5ab8f8d68a99078c"


def content(assets: Assets, name: str) -> str:
    asset = assets.find(assets.path(name))
    assert asset is not None
    return asset.content.decode()


def test_a_changed_file_has_a_changed_address() -> None:
    old, new = Assets({"app.css": b"a"}), Assets({"app.css": b"b"})

    assert old.path("app.css") != new.path("app.css")
    assert new.find(old.path("app.css")) is None


@pytest.mark.parametrize("name", ["app.css", "app.js", "favicon.svg", "water.min.css"])
def test_an_address_holds_the_digest_of_its_file(assets: Assets, name: str) -> None:
    path = assets.path(name)

    digest = hashlib.sha256(content(assets, name).encode()).hexdigest()
    assert path == f"/static/{digest[:16]}/{name}"


@pytest.mark.parametrize("spoil", ["{}/", "{}?", "/{}", "{}/../app.js", "{}\0", "{}%20"])
def test_only_the_exact_address_finds_a_file(assets: Assets, spoil: str) -> None:
    assert assets.find(spoil.format(assets.path("app.css"))) is None


def test_an_unknown_file_has_no_address(assets: Assets) -> None:
    with pytest.raises(KeyError):
        assets.path("other.css")


def test_water_css_is_as_it_was_published(assets: Assets) -> None:
    sheet = content(assets, "water.min.css")

    assert hashlib.sha256(sheet.encode()).hexdigest() == PUBLISHED_WATER_CSS


def test_style_sheets_load_nothing_that_the_policy_blocks(assets: Assets) -> None:
    own = content(assets, "app.css")
    vendored = content(assets, "water.min.css")

    assert "url(" not in own
    assert "@import" not in own + vendored
    # The one picture in water.css is the arrow of a select, which app.css takes away.
    assert set(re.findall(r"url\(.{5}", vendored)) == {'url("data'}
    assert "--select-arrow: none;" in own


def test_the_script_writes_text_and_never_markup(assets: Assets) -> None:
    script = content(assets, "app.js")

    assert '"use strict"' in script
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval", script)
