"""How a key file comes to be, and when it is refused."""

import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from webex_oauth.errors import KeyUnavailable
from webex_oauth.vault.keys import MAX_KEY_FILE_BYTES, read_or_make_key_file
from webex_oauth.vault.sealing import Context, Sealer

CONTEXT = Context(kind="grant", row=(), field="tokens", version=1)
FOREIGN_USER = 65_534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outer" / "data" / "keys"


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("umask")
@pytest.mark.check("F04")
def test_a_key_file_is_made_for_its_owner_alone(path: Path) -> None:
    read_or_make_key_file(path, os.urandom)

    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700
    assert mode(path.parent.parent) == 0o700


def test_nothing_else_is_left_beside_it(path: Path) -> None:
    read_or_make_key_file(path, os.urandom)

    assert list(path.parent.iterdir()) == [path]


def test_the_second_start_finds_the_key_of_the_first(path: Path) -> None:
    first = Sealer(read_or_make_key_file(path, os.urandom), os.urandom)
    second = Sealer(read_or_make_key_file(path, os.urandom), os.urandom)

    assert second.open(first.seal(b"kept", CONTEXT), CONTEXT) == b"kept"


def test_those_who_start_together_have_one_key(path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        rings = list(pool.map(lambda _: read_or_make_key_file(path, os.urandom), range(64)))

    sealed = Sealer(rings[0], os.urandom).seal(b"kept", CONTEXT)
    assert {Sealer(ring, os.urandom).open(sealed, CONTEXT) for ring in rings} == {b"kept"}


@pytest.mark.parametrize("loose", [0o640, 0o604, 0o660, 0o644, 0o610, 0o601])
@pytest.mark.check("F04")
def test_a_file_that_others_can_use_is_refused(path: Path, loose: int) -> None:
    read_or_make_key_file(path, os.urandom)
    path.chmod(loose)

    with pytest.raises(KeyUnavailable, match=f"chmod 600 {path}"):
        read_or_make_key_file(path, os.urandom)


@pytest.mark.parametrize("loose", [0o750, 0o705, 0o711, 0o777])
@pytest.mark.check("F04")
def test_a_folder_that_others_can_enter_is_refused(path: Path, loose: int) -> None:
    read_or_make_key_file(path, os.urandom)
    path.parent.chmod(loose)

    with pytest.raises(KeyUnavailable, match=f"chmod 700 {path.parent}"):
        read_or_make_key_file(path, os.urandom)


@pytest.mark.parametrize("is_dangling", [False, True])
@pytest.mark.check("F04")
def test_a_link_is_refused(path: Path, *, is_dangling: bool) -> None:
    read_or_make_key_file(path, os.urandom)
    target = path.with_name("gone" if is_dangling else "keys")
    link = path.with_name("link")
    link.symlink_to(target)

    with pytest.raises(KeyUnavailable, match="symbolic link"):
        read_or_make_key_file(link, os.urandom)

    assert not path.with_name("gone").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.check("F04")
def test_a_file_of_somebody_else_is_refused(path: Path) -> None:
    read_or_make_key_file(path, os.urandom)
    os.chown(path, FOREIGN_USER, -1)

    with pytest.raises(KeyUnavailable, match="belongs to user 65534"):
        read_or_make_key_file(path, os.urandom)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_folder_of_somebody_else_is_refused(path: Path) -> None:
    read_or_make_key_file(path, os.urandom)
    os.chown(path.parent, FOREIGN_USER, -1)

    with pytest.raises(KeyUnavailable, match="belongs to user 65534"):
        read_or_make_key_file(path, os.urandom)


def test_a_folder_in_the_place_of_the_file_is_refused(path: Path) -> None:
    path.mkdir(parents=True, mode=0o700)
    path.parent.chmod(0o700)

    with pytest.raises(KeyUnavailable, match="not a regular file"):
        read_or_make_key_file(path, os.urandom)


def test_a_pipe_in_the_place_of_the_file_is_refused_without_waiting(path: Path) -> None:
    read_or_make_key_file(path, os.urandom)
    path.unlink()
    os.mkfifo(path, 0o600)

    with pytest.raises(KeyUnavailable, match="not a regular file"):
        read_or_make_key_file(path, os.urandom)


@pytest.mark.parametrize("place", ["data/keys", "data/deeper/keys"])
def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "data").touch(mode=0o600)

    with pytest.raises(KeyUnavailable, match="cannot be used"):
        read_or_make_key_file(tmp_path / place, os.urandom)


def test_a_file_of_endless_length_is_refused(path: Path) -> None:
    read_or_make_key_file(path, os.urandom)
    path.write_bytes(b"#" * (MAX_KEY_FILE_BYTES + 1))

    with pytest.raises(KeyUnavailable, match="larger than"):
        read_or_make_key_file(path, os.urandom)


@pytest.mark.parametrize("content", [b"", b"changeme\n", b"\xff\xfe\x00", b"one short\n"])
@pytest.mark.check("F04")
def test_a_file_without_a_key_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    read_or_make_key_file(path, os.urandom)
    path.write_bytes(content)

    with pytest.raises(KeyUnavailable, match="restore the file"):
        read_or_make_key_file(path, os.urandom)

    assert path.read_bytes() == content


def test_bad_randomness_makes_no_usable_ring(path: Path) -> None:
    with pytest.raises(KeyUnavailable, match="placeholder"):
        read_or_make_key_file(path, bytes)
