"""Keys in Redis that another program wrote or removed; columns in general: test_absurd_rows."""

import pytest
from contracts.places import opened
from contracts.samples import NOW, add, name, read_one, rewritten, row, store
from services.redis import RedisServer, fresh_prefix

from webex_oauth.errors import SealBroken, StoreUnavailable
from webex_oauth.vault.rows import Kind, Row, Rows

pytestmark = pytest.mark.anyio

SPOILT = row(1, group=b"group", at=NOW, over_at=NOW)
SOUND = row(2, group=b"group", at=NOW, over_at=NOW)
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


@pytest.fixture(params=["redis_server", "valkey_server"])
def keys(request: pytest.FixtureRequest) -> Keys:
    return Keys(request.getfixturevalue(request.param))


async def lists(rows: Rows, limit: int = 99) -> list[list[Row]]:
    """Return the rows of each list."""
    return [
        list(await rows.by_name(Kind.GRANT, b"", limit)),
        list(await rows.due(Kind.GRANT, NOW, limit)),
        list(await rows.over(Kind.GRANT, NOW, limit)),
        list(await rows.of_group(Kind.GRANT, b"group", limit)),
    ]


@pytest.mark.parametrize("text", [b"007", b"+7", b"7 ", b"0x7", b"9" * 30, b"\xff"])
async def test_a_number_that_scripts_would_not_find_equal_is_none(keys: Keys, text: bytes) -> None:
    async with opened(keys.url) as rows:
        await store(rows, SPOILT, SOUND)
        keys.server.ask("HSET", keys.row(SPOILT), "at", text, "over", text)
        found = await read_one(rows, SPOILT)
        assert (found.at, found.over_at, found.body) == (None, None, SPOILT.body)

        keys.server.ask("HSET", keys.row(SPOILT), "rev", text)
        with pytest.raises(SealBroken, match="has values"):
            await rows.read(SOUND, SPOILT)
        assert await lists(rows) == [[SOUND]] * 4


@pytest.mark.parametrize(
    "spoil",
    [("HDEL", "rev"), *(("HSET", "rev", rev) for rev in ("0", "007", "x", "1" * 20))],
    ids=" ".join,
)
async def test_rows_that_cannot_be_read_hide_no_others(keys: Keys, spoil: tuple[str, ...]) -> None:
    spoilt = [row(number, group=b"group", at=NOW, over_at=NOW) for number in range(500)]
    last = row(999, group=b"group", at=NOW - 1, over_at=NOW + 1)
    async with opened(keys.url) as rows:
        await store(rows, *spoilt, last)
        for one in spoilt:
            keys.server.ask(spoil[0], keys.row(one), *spoil[1:])

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
