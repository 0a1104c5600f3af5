"""The examples run in environments that have their framework, as old as it may be, and no other."""

import sys
from collections.abc import Iterator
from functools import partial

from examples.test_examples import browse, running, world
from examples.world import EXAMPLES, World
from installed.environments import environment
from services.redis import RedisServer, own_redis

from webex_oauth.emulator import Person, seeded_rooms

__all__ = ["own_redis", "running", "world"]

PEOPLE = 100
ADOPT = """
import asyncio
from webex_oauth import AsyncIntegration, Secret
async def main():
    async with AsyncIntegration() as webex:
        for line in open("tokens.txt"):
            access, refresh = line.split()
            await webex.grants.adopt(Secret(access), Secret(refresh), scopes=webex.settings.scopes)
        found = await webex.grants.find(email="P7@acme.example")
        print(len([grant async for grant in webex.grants.list()]), found.display_name)
asyncio.run(main())
"""
SWEEP = """
import asyncio
from arq import create_pool
from worker_arq import WorkerSettings
async def main():
    redis = await create_pool(WorkerSettings.redis_settings)
    await (await redis.enqueue_job("sweep")).result(timeout=30)
    while int(await redis.get("rooms_seen") or 0) < 300: await asyncio.sleep(0.1)
    print("all seen")
asyncio.run(main())
"""


def test_fastapi_of_2024(world: World) -> None:
    python = environment("fastapi~=0.115.0", "uvicorn")
    place = ("--host", "localhost", "--port", str(world.port))

    with world.serving(python, "-m", "uvicorn", "fastapi_rooms:app", *place) as client:
        browse(client, world.base)


def test_flask_of_2023(world: World) -> None:
    python = environment("flask~=3.0.0")

    command = (python, "-m", "flask", "--app", "flask_rooms", "run", "--port", str(world.port))
    with world.serving(*command) as client:
        browse(client, world.base)


def test_django_of_2023(world: World) -> None:
    python, example = environment("django~=4.2.0"), EXAMPLES / "django_rooms.py"
    assert "webex" in world.run(python, example, "migrate")

    with world.serving(python, example, "runserver", "--noreload", str(world.port)) as client:
        browse(client, world.base)


def test_celery_with_its_redis(world: World) -> None:
    python = environment("celery[redis]", extras="redis")
    (world.folder / "tokens.txt").write_text("".join(issued_for(world, 1)))
    world.run(python, "-c", ADOPT.replace("P7", "P0"))
    code = (
        "import worker_celery as w; w.app.conf.task_always_eager = True;"
        "print(w.sweep.delay().get(), w.count_rooms.delay(w.webex.grants.one().person_id).get())"
    )

    assert "1 3" in world.run(python, "-c", code)


def test_an_arq_worker_acts_for_a_hundred_people(world: World, own_redis: RedisServer) -> None:
    python = environment("arq", extras="redis")
    (world.folder / "tokens.txt").write_text("".join(issued_for(world, PEOPLE)))
    assert f"{PEOPLE} Person 7" in world.run(python, "-c", ADOPT)

    # arq takes a password as it stands in a URL.
    own_redis.ask("ACL", "SETUSER", "arq", "on", ">plain", "~*", "&*", "+@all")
    url = f"redis://arq:plain@127.0.0.1:{own_redis.port}/0"
    worker = world.start(python, "-m", "arq", "worker_arq.WorkerSettings", REDIS_URL=url)
    try:
        assert world.run(python, "-c", SWEEP, REDIS_URL=url).split() == ["all", "seen"]
    finally:
        worker.terminate()
        sys.stdout.write(worker.communicate(timeout=20)[0][-1500:])


def issued_for(world: World, people: int) -> Iterator[str]:
    """Yield the tokens of people who came in another way, a line for each."""
    emulator = world.emulator
    for number in range(people):
        person = Person(
            uuid=f"00000000-0000-4000-8000-{number:012}",
            email=f"p{number}@acme.example",
            display_name=f"Person {number}",
            first_name="Person",
            last_name=str(number),
            organization_uuid=emulator.world.people[0].organization_uuid,
            created_ms=1_700_000_000_000,
            last_modified_ms=1_700_000_000_000,
            can_sign_in=False,
        )
        emulator.world.add_person(person, partial(seeded_rooms, person, 3))
        issued = emulator.grant_without_consent(person, integration=world.registered)
        assert issued.refresh_token
        yield f"{issued.access_token.value} {issued.refresh_token.value}\n"
