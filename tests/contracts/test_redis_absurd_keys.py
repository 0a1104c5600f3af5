"""Keys of rows in Redis that this program did not write, or that are gone."""

import pytest
from contracts.redis_stores import opened
from contracts.samples import NOW, add, deleted, name, read_one, rewritten, row, store
from services.redis import RedisServer, fresh_prefix

from webex_oauth.errors import SealBroken, StoreUnavailable
from webex_oauth.stores.redis import RedisRows
from webex_oauth.vault.rows import Kind, Row

pytestmark = pytest.mark.anyio

SPOILT = row(1, group=b"group", at=NOW, over_at=NOW)
SOUND = row(2, group=b"group", at=NOW, over_at=NOW)
NUMBERS = [b"-1", b"0x1", b"", b"1.5", b"1e9", b"007", b" 7", b"9" * 30, b"\xff", None]
INDEXES = ["names", "at", "over", "group:group"]


class Keys:
    """The keys of one prefix, changed as an operator could."""

    def __init__(self, server: RedisServer) -> None:
        self.server = server
        self._name = fresh_prefix()

    @property
    def url(self) -> str:
        return self.server.url(prefix=self._name)

    def key(self, rest: str) -> bytes:
        return f"{{{self._name}}}:{rest}".encode()

    def row(self, of: Row) -> bytes:
        return self.key(f"{of.kind}:") + of.name

    def write(self, of: Row, field: str, value: bytes | None) -> None:
        """Write one field of a row; None removes it."""
        if value is None:
            self.server.ask("HDEL", self.row(of), field)
        else:
            self.server.ask("HSET", self.row(of), field, value)


@pytest.fixture(params=["redis_server", "valkey_server"])
def keys(request: pytest.FixtureRequest) -> Keys:
    return Keys(request.getfixturevalue(request.param))


async def lists(rows: RedisRows, limit: int = 99) -> list[list[Row]]:
    """Return the rows of each list."""
    return [
        list(await rows.by_name(Kind.GRANT, b"", limit)),
        list(await rows.due(Kind.GRANT, NOW, limit)),
        list(await rows.over(Kind.GRANT, NOW, limit)),
        list(await rows.of_group(Kind.GRANT, b"group", limit)),
    ]


@pytest.mark.parametrize("value", NUMBERS)
async def test_an_instant_that_cannot_be_is_none_until_it_is_written_again(
    keys: Keys, value: bytes | None
) -> None:
    async with opened(keys.url) as rows:
        await store(rows, SPOILT, SOUND)
        for field in ("at", "over"):
            keys.write(SPOILT, field, value)

        found = await read_one(rows, SPOILT)
        assert (found.at, found.over_at, found.body) == (None, None, SPOILT.body)
        assert all(SOUND in listed for listed in await lists(rows))
        change = rewritten(found, at=NOW)
        assert await rows.apply([change], durably=False)
        assert await read_one(rows, SPOILT) == change.row


@pytest.mark.parametrize("group", [None, b"", b"other", b"\x00" * 100])
async def test_a_group_that_cannot_be_does_not_keep_a_row_from_being_written(
    keys: Keys, group: bytes | None
) -> None:
    async with opened(keys.url) as rows:
        await store(rows, SPOILT, SOUND)
        keys.write(SPOILT, "group", group)

        assert (await read_one(rows, SPOILT)).group == (group or b"")
        assert await rows.apply([deleted(SPOILT)], durably=False)
        assert await lists(rows) == [[SOUND]] * 4
        assert await lists(rows) == [[SOUND]] * 4


@pytest.mark.parametrize(
    ("field", "value"),
    [("body", None), *(("rev", value) for value in [*NUMBERS, b"0", b"%d" % (2**62 + 1)])],
)
async def test_a_row_that_cannot_be_read_is_a_broken_seal_and_in_no_list(
    keys: Keys, field: str, value: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(keys.url) as rows:
        await store(rows, SPOILT, SOUND)
        keys.write(SPOILT, field, value)

        with pytest.raises(SealBroken, match=f"the grant {SPOILT.name.hex()[:12]} has values"):
            await rows.read(SOUND, SPOILT)
        assert await lists(rows) == [[SOUND]] * 4
        assert caplog.text.count("a stored row cannot be read") == 4
        assert not await rows.apply([rewritten(SOUND), rewritten(row(1, rev=7))], durably=False)
        assert await read_one(rows, SOUND) == SOUND


async def test_rows_that_cannot_be_read_hide_no_others(keys: Keys) -> None:
    spoilt = [row(number, group=b"group", at=NOW, over_at=NOW) for number in range(500)]
    last = row(999, group=b"group", at=NOW - 1, over_at=NOW + 1)
    async with opened(keys.url) as rows:
        await store(rows, *spoilt, last)
        for one in spoilt:
            keys.write(one, "body", None)

        assert list(await rows.by_name(Kind.GRANT, b"", 1)) == [last]
        assert list(await rows.over(Kind.GRANT, NOW + 1, 1)) == [last]
        assert list(await rows.of_group(Kind.GRANT, b"group", 1)) == [last]


@pytest.mark.parametrize("command", ["SET", "SADD"])
async def test_a_row_of_another_type_is_a_broken_seal_and_in_no_list(
    keys: Keys, command: str
) -> None:
    async with opened(keys.url) as rows:
        await store(rows, SPOILT, SOUND)
        keys.server.ask("DEL", keys.row(SPOILT))
        keys.server.ask(command, keys.row(SPOILT), "text")

        with pytest.raises(SealBroken, match="has values"):
            await rows.read(SPOILT)
        assert await lists(rows) == [[SOUND]] * 4
        with pytest.raises(StoreUnavailable, match="WRONGTYPE"):
            await rows.apply([rewritten(SOUND), *add(row(3)), rewritten(SPOILT)], durably=False)
        assert await lists(rows) == [[SOUND]] * 4


@pytest.mark.parametrize("index", INDEXES)
async def test_an_index_of_another_type_refuses_all_changes(keys: Keys, index: str) -> None:
    async with opened(keys.url) as rows:
        await store(rows, SPOILT, row(1, Kind.SESSION))
        keys.server.ask("SET", keys.key(f"grant-{index}"), "text")
        changes = [rewritten(row(1, Kind.SESSION)), rewritten(SPOILT)]

        with pytest.raises(StoreUnavailable, match="WRONGTYPE"):
            await rows.apply(changes, durably=False)
        with pytest.raises(StoreUnavailable, match="WRONGTYPE"):
            await lists(rows)
        stored = list(await rows.read(SPOILT, row(1, Kind.SESSION)))
        assert stored == [SPOILT, row(1, Kind.SESSION)]


@pytest.mark.parametrize("index", INDEXES)
async def test_an_index_that_names_rows_that_are_gone_forgets_them(keys: Keys, index: str) -> None:
    key = keys.key(f"grant-{index}")
    names = [b"bogus", b"", b"x" * 100, *(name(number) for number in range(3, 40))]
    async with opened(keys.url) as rows:
        await store(rows, SOUND)
        for gone in names:
            keys.server.ask("ZADD", key, 0, gone)

        assert [len(listed) for listed in await lists(rows, 1)] == [1] * 4
        assert await lists(rows) == [[SOUND]] * 4
        assert keys.server.ask("ZRANGE", key, 0, -1) == [SOUND.name]
