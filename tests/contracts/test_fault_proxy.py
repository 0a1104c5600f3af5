"""The proxy that breaks connections does what the tests that use it believe."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from services.fault_proxy import FaultProxy, fault_proxy
from waiting import LIMIT_SECONDS

pytestmark = pytest.mark.anyio

SILENT_SECONDS = 0.2


class Echo(asyncio.Protocol):
    """Say everything again."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


@pytest.fixture
async def proxy() -> AsyncIterator[FaultProxy]:
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)
    async with fault_proxy(server.sockets[0].getsockname()[1]) as proxy:
        yield proxy
    server.close()


class Client:
    """Say a line and hear it come back."""

    def __init__(self, streams: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        self.reader, self.writer = streams

    async def hears(self, line: bytes, within: float = LIMIT_SECONDS) -> bytes:
        self.writer.write(line)
        async with asyncio.timeout(within):
            return await self.reader.readline()

    async def hears_nothing(self, line: bytes) -> None:
        with pytest.raises(TimeoutError):
            await self.hears(line, SILENT_SECONDS)


@pytest.fixture
async def client(proxy: FaultProxy) -> AsyncIterator[Client]:
    client = Client(await asyncio.open_connection("127.0.0.1", proxy.port))
    assert await client.hears(b"first\n") == b"first\n"
    yield client
    client.writer.close()


async def test_a_hanging_connection_goes_on_when_it_heals(
    proxy: FaultProxy, client: Client
) -> None:
    await proxy.hangs()
    await client.hears_nothing(b"second\n")

    await proxy.heals()

    assert await client.reader.readline() == b"second\n"


async def test_a_dropped_answer_never_comes(proxy: FaultProxy, client: Client) -> None:
    await proxy.drops_answers()
    await client.hears_nothing(b"second\n")

    await proxy.heals()

    await client.hears_nothing(b"third\n")


async def test_an_answer_is_cut_in_the_middle(proxy: FaultProxy, client: Client) -> None:
    await proxy.cuts(answer_bytes=3)

    client.writer.write(b"second\n")

    assert await client.reader.readexactly(3) == b"sec"
    with pytest.raises(ConnectionResetError):
        await client.reader.read()


async def test_a_slow_answer_comes_late(proxy: FaultProxy, client: Client) -> None:
    await proxy.slows(5 * SILENT_SECONDS)
    await client.hears_nothing(b"second\n")

    assert await client.reader.readline() == b"second\n"


async def test_who_is_refused_comes_back_to_the_same_port(
    proxy: FaultProxy, client: Client
) -> None:
    port = proxy.port
    await proxy.refuses()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    with pytest.raises(ConnectionResetError):
        await client.hears(b"second\n")

    await proxy.heals()

    again = Client(await asyncio.open_connection("127.0.0.1", port))
    assert await again.hears(b"third\n") == b"third\n"
    again.writer.close()
