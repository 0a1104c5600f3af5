"""Keys change while servers write: nothing is lost, whoever is killed, and the old key can go."""

import json
import os
import re
import subprocess
import sys
from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from edges.command import environment
from journeys.sealed_people import NAMES, read_person
from waiting import until_true

from webex_oauth.emulator import Randomness, new_integration, sample_env
from webex_oauth.stores.sqlite.rows import SqliteRows
from webex_oauth.vault.key_file import KeyFile, add_key, make_primary, new_key_line, read_key_file
from webex_oauth.vault.reencryption import rows_by_key
from webex_oauth.vault.rescue import Spool
from webex_oauth.vault.sealing import Sealer

pytestmark = pytest.mark.anyio

TESTS = Path(__file__).parent.parent
PROGRAMS = Path(__file__).parent / "programs"
LIMIT_SECONDS = 50


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the database, the keys and the settings of a test are."""

    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / "data" / "vault.sqlite"

    @property
    def key_file(self) -> Path:
        return self.folder / "keys" / "keys"

    def ids(self) -> list[str]:
        return [key.id for key in read_key_file(self.key_file).keys]

    def add(self) -> str:
        """Add a key that opens and does not encrypt yet; return its id."""
        line = new_key_line(os.urandom, datetime.now(UTC).date())
        return add_key(self.key_file, line).others[-1].id

    async def counts(self) -> Counter[str]:
        rows = SqliteRows(self.database)
        await rows.open()
        counts = await rows_by_key(rows, Spool(self.key_file.parent / "spool", os.urandom))
        await rows.close()
        return counts

    def keys(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "webex_oauth", "keys", *arguments],
            cwd=self.folder,
            env=environment(**variables),
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )

    def start(self, program: str, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, PROGRAMS / f"{program}.py", self.database, self.key_file, *arguments],
            env={**os.environ, "PYTHONPATH": str(TESTS)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    integration = new_integration(Randomness(), redirect_uris=("http://localhost:8080/oauth",))
    (tmp_path / ".env").write_text(
        sample_env(integration, "http://localhost:8090")
        + f"\nWEBEX_STORE_URL=sqlite:///{place.database}\nWEBEX_KEYS_FILE={place.key_file}\n"
    )
    return place


@contextmanager
def writers(place: Place, *names: str) -> Iterator[dict[str, dict[str, int]]]:
    """Make processes write beside the test; what they tell at their end is in the mapping then."""
    started = {name: place.start("write_grants", name) for name in names}
    told: dict[str, dict[str, int]] = {}
    try:
        for process in started.values():
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        yield told
        for name, process in started.items():
            told[name] = json.loads(process.communicate("over\n", timeout=LIMIT_SECONDS)[0])
    finally:
        for process in started.values():
            process.kill()
            process.communicate()


def run_to_the_end(process: subprocess.Popen[str]) -> int:
    process.communicate(timeout=LIMIT_SECONDS)
    return process.returncode


@pytest.mark.check("F03", "F04")
async def test_keys_rotate_under_load_and_a_kill_costs_nothing(place: Place) -> None:
    with writers(place, "one", "two") as told:
        [old] = place.ids()
        new = place.add()
        make_primary(place.key_file, new)
        killed = run_to_the_end(place.start("reencrypt_and_die", "40"))
        after_kill = await place.counts()
        resumed = place.keys("re-encrypt")
        after = await place.counts()
        retired = place.keys("retire", old)

    assert (killed, after_kill[old] > 0, after_kill[new] > 0) == (-9, True, True)
    assert (resumed.returncode, after[old], set(after)) == (0, 0, {new}), resumed.stderr
    assert (retired.returncode, place.ids()) == (0, [new]), retired.stderr
    assert [set(done) for done in told.values()] == [{"written", "read"}] * 2, told
    assert await read_all(place) > NAMES
    assert [file for file in place.database.parent.iterdir() if holds_a_key(file, place)] == []


def holds_a_key(file: Path, place: Place) -> bool:
    """Return whether the bits or the text of a key lie in a file of the store."""
    lines = place.key_file.read_text().splitlines()
    encoded = [line.split()[1] for line in lines if not line.startswith("#")]
    assert encoded
    content = file.read_bytes()
    return any(key.encode() in content or urlsafe_b64decode(key) in content for key in encoded)


async def read_all(place: Place) -> int:
    """Read everybody with what is in the key file now; count them."""
    rows = SqliteRows(place.database)
    await rows.open()
    sealer = Sealer(KeyFile(place.key_file), os.urandom)
    people = [f"{name} {number}" for name in ("one", "two") for number in range(NAMES)]
    count = sum([await read_person(rows, sealer, person) for person in people])
    await rows.close()
    return count


async def fill(place: Place) -> None:
    """Leave some people in the store, sealed by a server that ran before."""
    with writers(place, "one"):
        await until_true(lambda: is_filled(place))


async def is_filled(place: Place) -> bool:
    return bool(await place.counts())


@pytest.mark.check("F03", "F04")
async def test_the_list_tells_names_and_rows_but_no_key(place: Place) -> None:
    await fill(place)
    [first], second = place.ids(), place.add()
    counts = await place.counts()

    listed = place.keys("list")

    lines = [line.split() for line in listed.stdout.splitlines()]
    assert [(line[0], line[1]) for line in lines] == [(first, "seals"), (second, "opens")]
    assert lines[0][-2:] == [f"{counts[first]:,}", "rows"]
    assert lines[1][3] == datetime.now(UTC).date().isoformat()
    materials = [line.split()[1] for line in place.key_file.read_text().splitlines()[2:]]
    assert [part for part in materials if part in listed.stdout + listed.stderr] == []


@pytest.mark.check("F03")
async def test_a_key_with_rows_under_it_is_not_retired(place: Place) -> None:
    await fill(place)
    [old] = place.ids()
    make_primary(place.key_file, new := place.add())

    retired = place.keys("retire", old)

    assert retired.returncode == 1
    assert f"error: key '{old}' is still needed (rows under it: " in retired.stderr
    assert place.ids() == [new, old]


def in_environment(text: str) -> dict[str, str]:
    return {"WEBEX_KEYS": text, "WEBEX_KEYS_FILE": ""}


@pytest.mark.parametrize("arguments", [("rotate", "k-one"), ("rotate",)])
async def test_keys_in_the_environment_are_changed_there(
    place: Place, arguments: tuple[str, ...]
) -> None:
    text = new_key_line(os.urandom, date(2027, 1, 15))

    refused = place.keys(*arguments, **in_environment(text))

    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith("error: the keys are in WEBEX_KEYS")
    assert text.split()[1] not in refused.stderr
    assert not place.key_file.exists()


@pytest.mark.check("F03")
async def test_keys_in_the_environment_rotate_by_restarts(place: Place) -> None:
    await fill(place)
    old_line = place.key_file.read_text().splitlines()[-1]
    new_line = new_key_line(os.urandom, date(2027, 1, 15))
    old, new = old_line.split()[0], new_line.split()[0]
    place.key_file.unlink()
    both = f"{new_line.strip()},{old_line}"

    re_encrypted = place.keys("re-encrypt", **in_environment(both))
    retired = place.keys("retire", old, **in_environment(both))
    listed = place.keys("list", **in_environment(new_line))

    assert (re_encrypted.returncode, retired.returncode) == (0, 0)
    assert "remove it from WEBEX_KEYS" in retired.stdout
    assert [line.split()[:2] for line in listed.stdout.splitlines()] == [[new, "seals"]]


@pytest.mark.check("F03")
async def test_a_lost_key_is_forgotten_with_all_that_was_under_it(place: Place) -> None:
    await fill(place)
    [lost] = place.ids()
    refused = place.keys("retire", lost, "--lost")
    assert "and not lost: retire it without --lost" in refused.stderr

    place.key_file.unlink()
    forgotten = place.keys("retire", lost, "--lost")
    await fill(place)

    assert forgotten.returncode == 0, forgotten.stderr
    assert lost not in place.ids()
    assert lost not in place.keys("list").stdout
    assert re.fullmatch(
        rf"{lost} is forgotten; deleted with it: [1-9].* grants.*\n", forgotten.stdout
    )


async def test_a_store_inside_the_server_is_told_to_be_out_of_reach(place: Place) -> None:
    await fill(place)

    refused = place.keys("re-encrypt", WEBEX_STORE_URL="memory:")

    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith(
        "error: the memory: store lives inside the server"
    )
