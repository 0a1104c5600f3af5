"""How a key file comes to be, and when it is refused."""

import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from webex_oauth.vault.key_text import new_key_line, read_days, read_keys
from webex_oauth.vault.keys import (
    MAX_KEY_FILE_BYTES,
    KeyFile,
    check_key_file,
    read_or_make_key_file,
)

from webex_oauth.errors import KeyUnavailable
from webex_oauth.ports import Randomness
from webex_oauth.vault.sealing import Context, Sealer

CONTEXT = Context(kind="grant", row=(), field="tokens", version=1)
FOREIGN_USER = 65_534
MADE_ON = date(2027, 1, 15)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outer" / "data" / "keys"


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def made(path: Path, randomness: Randomness = os.urandom) -> KeyFile:
    return read_or_make_key_file(path, randomness, MADE_ON)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("umask")
@pytest.mark.check("F04")
def test_a_key_file_is_made_for_its_owner_alone(path: Path) -> None:
    made(path)

    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700
    assert mode(path.parent.parent) == 0o700


def test_nothing_else_is_left_beside_it(path: Path) -> None:
    made(path)

    assert list(path.parent.iterdir()) == [path]


def test_the_second_start_finds_the_key_of_the_first(path: Path) -> None:
    first = Sealer(made(path), os.urandom)
    second = Sealer(made(path), os.urandom)

    assert second.open(first.seal(b"kept", CONTEXT), CONTEXT) == b"kept"


def test_those_who_start_together_have_one_key(path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        rings = list(pool.map(lambda _: made(path), range(64)))

    sealed = Sealer(rings[0], os.urandom).seal(b"kept", CONTEXT)
    assert {Sealer(ring, os.urandom).open(sealed, CONTEXT) for ring in rings} == {b"kept"}


@pytest.mark.parametrize("loose", [0o640, 0o604, 0o660, 0o644, 0o610, 0o601])
@pytest.mark.check("F04")
def test_a_file_that_others_can_use_is_refused(path: Path, loose: int) -> None:
    made(path)
    path.chmod(loose)

    with pytest.raises(KeyUnavailable, match=f"chmod 600 {path}"):
        made(path)


@pytest.mark.parametrize("loose", [0o750, 0o705, 0o711, 0o777])
@pytest.mark.check("F04")
def test_a_folder_that_others_can_enter_is_refused(path: Path, loose: int) -> None:
    made(path)
    path.parent.chmod(loose)

    with pytest.raises(KeyUnavailable, match=f"chmod 700 {path.parent}"):
        made(path)


@pytest.mark.check("F04")
@pytest.mark.parametrize("path", ["/etc/webex-keys", "/webex-keys"])
def test_nobody_is_told_to_close_a_folder_of_the_system(path: str) -> None:
    with pytest.raises(KeyUnavailable) as refused:
        check_key_file(Path(path))

    assert "chmod" not in str(refused.value)


@pytest.mark.parametrize("is_dangling", [False, True])
@pytest.mark.check("F04")
def test_a_link_is_refused(path: Path, *, is_dangling: bool) -> None:
    made(path)
    target = path.with_name("gone" if is_dangling else "keys")
    link = path.with_name("link")
    link.symlink_to(target)

    with pytest.raises(KeyUnavailable, match="symbolic link"):
        made(link)

    assert not path.with_name("gone").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.check("F04")
def test_a_file_of_somebody_else_is_refused(path: Path) -> None:
    made(path)
    os.chown(path, FOREIGN_USER, -1)

    with pytest.raises(KeyUnavailable, match="belongs to user 65534"):
        made(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_folder_of_somebody_else_is_refused(path: Path) -> None:
    made(path)
    os.chown(path.parent, FOREIGN_USER, -1)

    with pytest.raises(KeyUnavailable, match="belongs to user 65534"):
        made(path)


def test_a_folder_in_the_place_of_the_file_is_refused(path: Path) -> None:
    path.mkdir(parents=True, mode=0o700)
    path.parent.chmod(0o700)

    with pytest.raises(KeyUnavailable, match="not a regular file"):
        made(path)


def test_a_pipe_in_the_place_of_the_file_is_refused_without_waiting(path: Path) -> None:
    made(path)
    path.unlink()
    os.mkfifo(path, 0o600)

    with pytest.raises(KeyUnavailable, match="not a regular file"):
        made(path)


@pytest.mark.parametrize("place", ["data/keys", "data/deeper/keys"])
def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "data").touch(mode=0o600)

    with pytest.raises(KeyUnavailable, match="is not a folder: choose another path"):
        made(tmp_path / place)


def test_a_file_of_endless_length_is_refused(path: Path) -> None:
    made(path)
    path.write_bytes(b"#" * (MAX_KEY_FILE_BYTES + 1))

    with pytest.raises(KeyUnavailable, match="larger than"):
        made(path)


@pytest.mark.parametrize("content", [b"", b"changeme\n", b"\xff\xfe\x00", b"one short\n"])
@pytest.mark.check("F04")
def test_a_file_without_a_key_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    made(path)
    path.write_bytes(content)

    with pytest.raises(KeyUnavailable, match="restore the file"):
        made(path)

    assert path.read_bytes() == content


def test_bad_randomness_makes_no_usable_ring(path: Path) -> None:
    with pytest.raises(KeyUnavailable, match="placeholder"):
        made(path, bytes)


def test_the_first_key_tells_since_when_it_is_there(path: Path) -> None:
    key_id = made(path).primary.id

    assert read_days(path.read_text()) == {key_id: "2027-01-15"}


class Hands:
    """A clock for waits that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def sealed_with(line: str) -> bytes:
    return Sealer(read_keys(line, "other"), os.urandom).seal(b"kept", CONTEXT)


def test_a_key_that_is_new_in_the_file_opens_at_once_and_does_not_seal(path: Path) -> None:
    first = made(path).primary.id
    keys, line = KeyFile(path), new_key_line(os.urandom, MADE_ON)
    path.write_text(line + path.read_text())

    assert Sealer(keys, os.urandom).open(sealed_with(line), CONTEXT) == b"kept"
    assert keys.primary.id == first


def test_the_file_is_looked_at_for_unknown_keys_once_a_second(path: Path) -> None:
    made(path)
    clock = Hands()
    keys, line = KeyFile(path, monotonic=clock), new_key_line(os.urandom, MADE_ON)
    with pytest.raises(KeyUnavailable):
        keys.find("k-unknown")
    path.write_text(path.read_text() + line)

    with pytest.raises(KeyUnavailable):
        keys.find(line.split()[0])
    clock.seconds += 1.0

    assert keys.find(line.split()[0]).id == line.split()[0]


def test_an_unknown_key_is_unknown_also_when_the_file_is_gone(path: Path) -> None:
    keys = made(path)
    path.unlink()

    with pytest.raises(KeyUnavailable):
        keys.find("k-unknown")
    assert keys.find(keys.primary.id) is keys.primary


def test_a_change_is_what_the_file_says_since_it_was_adopted(path: Path) -> None:
    keys = made(path)
    assert keys.change() is None
    path.write_text(new_key_line(os.urandom, MADE_ON) + path.read_text())

    change = keys.change()

    assert change
    keys.adopt(change)
    assert keys.primary is change.ring.primary
    assert keys.change() is None
