"""An asynchronous worker (arq) that acts for everybody: `arq worker_arq.WorkerSettings`."""

import os
from typing import Any, ClassVar

from arq import Retry
from arq.connections import RedisSettings

from webex_oauth import AsyncIntegration, Event, GrantNotFound, ReauthRequired, TemporaryError
from webex_oauth.webex import rooms


async def startup(ctx: dict[str, Any]) -> None:
    webex = ctx["webex"] = await AsyncIntegration().__aenter__()

    @webex.events.on("grant.reauth_required")
    async def invite(event: Event) -> None:
        await ctx["redis"].rpush("people_to_invite", event.person_id)


async def shutdown(ctx: dict[str, Any]) -> None:
    await ctx["webex"].__aexit__(None, None, None)


async def sweep(ctx: dict[str, Any]) -> None:
    webex: AsyncIntegration = ctx["webex"]
    async for grant in webex.grants.list(status="active"):
        await ctx["redis"].enqueue_job("count_rooms", grant.person_id)


async def count_rooms(ctx: dict[str, Any], person_id: str) -> int:
    webex: AsyncIntegration = ctx["webex"]
    try:
        grant = await webex.grants.get(person_id)
        count = len([room async for room in grant.items(rooms.listing(max_items=1000))])
    except TemporaryError as error:
        raise Retry(defer=error.retry_after_seconds or 5) from error
    except (ReauthRequired, GrantNotFound):
        return 0  # the person was invited by the event
    await ctx["redis"].incrby("rooms_seen", count)
    return count


class WorkerSettings:
    functions: ClassVar = [sweep, count_rooms]
    on_startup, on_shutdown = startup, shutdown
    redis_settings = RedisSettings.from_dsn(os.environ["REDIS_URL"])
    max_jobs = 50
