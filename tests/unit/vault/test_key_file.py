"""A key file: what it may say, how it comes to be, when it is refused, and how it is changed."""

import base64
import fcntl
import logging
import os
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from webex_oauth.errors import KeyUnavailable
from webex_oauth.ports import Randomness
from webex_oauth.vault.key_file import (
    HEADER,
    MAX_KEY_FILE_BYTES,
    KeyFile,
    add_key,
    check_key_file,
    key_line,
    make_primary,
    new_key_line,
    read_days,
    read_key_file,
    read_keys,
    read_or_make_key_file,
    remove_key,
    with_primary,
)
from webex_oauth.vault.private_files import replace_private_file
from webex_oauth.vault.sealing import Context, Sealer

ONE, TWO = bytes(range(32)), bytes(range(32, 64))
CONTEXT = Context(kind="grant", name=b"")
FOREIGN_USER = 65_534
MADE_ON = date(2027, 1, 15)


# What it may say


def line(key_id: str, material: bytes) -> str:
    return key_line(key_id, material, date(2027, 1, 15))


def encoded(material: bytes) -> str:
    return base64.urlsafe_b64encode(material).decode()


def test_comments_and_empty_lines_are_passed_over() -> None:
    text = f"# a comment\n\n  \n{line('one', ONE)}# another\n"

    assert read_keys(text, "keys").others == ()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "holds no key"),
        (HEADER, "holds no key"),
        ("changeme", "line 1 is not"),
        ("one changeme", "not base64url|bytes"),
        ("one " + "changeme" * 4, "24 bytes and not 32"),
        ("one " + encoded(b"changeme" * 4), "placeholder"),
        ("one " + encoded(bytes(32)), "placeholder"),
        ("one " + encoded(b"\xff" * 32), "placeholder"),
        ("one " + encoded(ONE[:16]), "16 bytes and not 32"),
        ("one " + encoded(ONE + ONE), "64 bytes and not 32"),
        ("one " + encoded(ONE)[:-1], "not base64url"),
        ("one " + encoded(ONE)[:20] + "!" + encoded(ONE)[20:], "not base64url"),
        ("one é" + encoded(ONE), "not base64url"),
        ("one two " + encoded(ONE), "line 1 is not"),
        (f"one {encoded(TWO)} {encoded(ONE)}", "line 1 is not"),
        (f"one {encoded(ONE)} 2027-01-15 x", "line 1 is not"),
        (encoded(ONE), "line 1 is not"),
        ("o/e " + encoded(ONE), "key id"),
        (line("one", ONE) * 2, "line 2: a second key 'one'"),
        (line("one", ONE) + "two", "line 2 is not"),
    ],
)
def test_a_key_file_with_a_mistake_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(KeyUnavailable, match=complaint) as refusal:
        read_keys(text, "keys")

    assert str(refusal.value).startswith("keys")
    assert encoded(ONE)[:12] not in str(refusal.value)


@given(st.text(max_size=200))
def test_any_text_is_a_ring_or_refused(text: str) -> None:
    try:
        ring = read_keys(text, "keys")
    except KeyUnavailable:
        return

    assert ring.find(ring.primary.id) is ring.primary


BOTH = HEADER + line("one", ONE) + "# between\n\n" + line("two", TWO)


def ids_in(text: str) -> list[str]:
    return [key.id for key in read_keys(text, "keys").keys]


def test_a_day_is_told_where_there_is_one() -> None:
    text = line("one", ONE) + f"two {encoded(TWO)}\n"

    assert read_days(text) == {"one": "2027-01-15"}
    assert ids_in(text) == ["one", "two"]


@pytest.mark.parametrize("text", [BOTH, BOTH.rstrip()])
def test_the_primary_key_comes_first_below_the_head(text: str) -> None:
    changed = with_primary(text, "two")

    assert ids_in(changed) == ["two", "one"]
    assert changed.startswith(HEADER)


def test_making_the_primary_key_primary_changes_nothing() -> None:
    assert with_primary(BOTH, "one") == BOTH


# How it comes to be


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
def test_a_key_file_is_made_for_its_owner_alone_with_nothing_beside_it(path: Path) -> None:
    key_id = made(path).primary.id

    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700
    assert mode(path.parent.parent) == 0o700
    assert list(path.parent.iterdir()) == [path]
    assert read_days(path.read_text()) == {key_id: "2027-01-15"}


def test_processes_that_start_at_the_same_time_or_later_have_one_key(path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        rings = list(pool.map(lambda _: made(path), range(64)))

    sealed = Sealer(rings[0], os.urandom).seal(b"kept", CONTEXT)
    rings.append(made(path))
    assert {Sealer(ring, os.urandom).open(sealed, CONTEXT) for ring in rings} == {b"kept"}


def replaced_by(make: Callable[[Path], object]) -> Callable[[Path], object]:
    """Return what puts something else in the place of the file."""

    def replace(path: Path) -> None:
        path.unlink()
        make(path)

    return replace


def in_a_loose_folder(loose: int) -> Callable[[Path], object]:
    return lambda path: path.parent.chmod(loose)


def move_and_link(path: Path) -> None:
    path.rename(path.with_name("moved"))
    path.symlink_to(path.with_name("moved"))


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.mark.check("F04")
@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        *(
            (lambda path, loose=loose: path.chmod(loose), "chmod 600 {path}")
            for loose in (0o640, 0o604, 0o660, 0o644, 0o610, 0o601)
        ),
        *(
            (in_a_loose_folder(loose), "chmod 700 {path.parent}")
            for loose in (0o750, 0o705, 0o711, 0o777)
        ),
        (move_and_link, "symbolic link"),
        (replaced_by(lambda path: path.symlink_to(path.with_name("gone"))), "symbolic link"),
        (replaced_by(lambda path: path.mkdir()), "not a regular file"),
        (replaced_by(lambda path: os.mkfifo(path, 0o600)), "not a regular file"),
        (lambda path: path.write_bytes(b"#" * (MAX_KEY_FILE_BYTES + 1)), "larger than"),
        pytest.param(
            lambda path: os.chown(path, FOREIGN_USER, -1), "belongs to user 65534", marks=as_root
        ),
        pytest.param(
            lambda path: os.chown(path.parent, FOREIGN_USER, -1),
            "belongs to user 65534",
            marks=as_root,
        ),
    ],
)
def test_a_file_that_may_not_be_its_owners_alone_is_refused(
    path: Path, spoil: Callable[[Path], object], complaint: str
) -> None:
    made(path)
    spoil(path)

    with pytest.raises(KeyUnavailable, match=complaint.format(path=path)):
        made(path)

    assert not path.with_name("gone").exists()


@pytest.mark.check("F04")
@pytest.mark.parametrize("path", ["/etc/webex-keys", "/webex-keys"])
def test_no_advice_closes_a_folder_of_the_system(path: str) -> None:
    with pytest.raises(KeyUnavailable) as refused:
        check_key_file(Path(path))

    assert "chmod" not in str(refused.value)


@pytest.mark.parametrize("place", ["data/keys", "data/deeper/keys"])
def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "data").touch(mode=0o600)

    with pytest.raises(KeyUnavailable, match="is not a folder: choose another path"):
        made(tmp_path / place)


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
    now = [100.0]
    keys, line = KeyFile(path, monotonic=lambda: now[0]), new_key_line(os.urandom, MADE_ON)
    with pytest.raises(KeyUnavailable):
        keys.find("k-unknown")
    path.write_text(path.read_text() + line)

    with pytest.raises(KeyUnavailable):
        keys.find(line.split()[0])
    now[0] += 1.0

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
    assert keys.primary is change.primary
    assert keys.change() is None


# How it is changed


@pytest.fixture
def existing(path: Path) -> Path:
    made(path)
    return path


def new_line() -> str:
    return new_key_line(os.urandom, MADE_ON)


def ids(path: Path) -> list[str]:
    return [key.id for key in read_key_file(path).keys]


@pytest.mark.check("E05")
def test_a_key_comes_becomes_primary_and_another_goes(
    existing: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    old, line = ids(existing)[0], new_line()
    new = add_key(existing, line).others[-1].id
    assert ids(existing) == [old, new]

    make_primary(existing, new)
    assert ids(existing) == [new, old]

    remove_key(existing, old)
    assert ids(existing) == [new]
    assert [record.getMessage() for record in caplog.records] == [
        f"key {new} was added",
        f"key {new} was made primary",
        f"key {old} was removed",
    ]
    assert line.split()[1] not in str([vars(record) for record in caplog.records])


def test_changes_touch_the_line_of_their_key_alone(existing: Path) -> None:
    existing.write_text(BOTH.rstrip())

    added = new_line()
    assert add_key(existing, added).others[-1].id == added.split()[0]
    make_primary(existing, "two")
    remove_key(existing, "one")

    assert existing.read_text() == HEADER + line("two", TWO) + "# between\n\n" + added


@pytest.mark.check("F04")
def test_a_changed_file_is_its_owners_alone_and_nothing_lies_beside_it(existing: Path) -> None:
    umask = os.umask(0)
    try:
        add_key(existing, new_line())
    finally:
        os.umask(umask)

    assert stat.S_IMODE(existing.stat().st_mode) == 0o600
    assert list(existing.parent.iterdir()) == [existing]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda path: remove_key(path, ids(path)[0]), "seals: make another one primary first"),
        (lambda path: remove_key(path, "k-typo"), r"no key in .* is named 'k-typo'"),
        (lambda path: make_primary(path, "k-typo"), r"no key in .* is named 'k-typo'"),
        (lambda path: add_key(path, new_key_line(bytes, MADE_ON)), "placeholder"),
    ],
)
def test_a_change_that_cannot_be_is_refused_and_not_written(
    existing: Path, change: Callable[[Path], object], complaint: str
) -> None:
    before = existing.read_text()

    with pytest.raises(KeyUnavailable, match=complaint):
        change(existing)

    assert existing.read_text() == before


@pytest.mark.parametrize(
    "use", [read_key_file, lambda path: add_key(path, new_line())], ids=["read", "change"]
)
def test_the_error_of_a_missing_file_says_what_makes_one(
    tmp_path: Path, use: Callable[[Path], object]
) -> None:
    with pytest.raises(KeyUnavailable, match=r"no key file: .*/keys .*first start.* makes it"):
        use(tmp_path / "keys")


def test_commands_at_once_lose_no_key(existing: Path) -> None:
    lines = [new_line() for _ in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda line: add_key(existing, line), lines))

    assert set(ids(existing)) >= {line.split()[0] for line in lines}
    assert len(ids(existing)) == 25


def test_a_reader_never_sees_half_a_file(existing: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        adding = pool.submit(lambda: [add_key(existing, new_line()) for _ in range(40)])
        sizes = [len(ids(existing))]
        while not adding.done():
            sizes.append(len(ids(existing)))
        adding.result()

    assert sizes == sorted(sizes)
    assert len(ids(existing)) == 41


def test_what_a_killed_command_left_behind_goes_with_the_next_change(existing: Path) -> None:
    existing.with_name(".keys.draft").write_text("half a ke")

    add_key(existing, new_line())

    assert list(existing.parent.iterdir()) == [existing]


def test_a_link_in_the_place_of_the_draft_is_not_followed(existing: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    existing.with_name(".keys.draft").symlink_to(victim)

    replace_private_file(existing, existing.read_bytes())

    assert victim.read_text() == "untouched"


def test_a_command_does_not_wait_for_another_for_ever(existing: Path) -> None:
    descriptor = os.open(existing.parent, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        with pytest.raises(KeyUnavailable, match="try again"):
            add_key(existing, new_line())
    finally:
        os.close(descriptor)
