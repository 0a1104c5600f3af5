"""Regulars: people who come every day, sign in and out, mistype addresses and hang up."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from crashes.people import NAMES
from floods.browsing import Browser

from bench.client import Answer
from webex_oauth.emulator import Visitor
from webex_oauth.emulator.visitor import Decision

BROWSERS_OF_EACH = 3
LONGEST_STAY_SECONDS = 0.02
SIGNED_OUT_OR_IN = {200, 401}
"""Another browser of the same person may have ended this one's session, even just now."""

STATUSES: dict[str, set[int]] = {
    "home": SIGNED_OUT_OR_IN,
    "spaces": SIGNED_OUT_OR_IN,
    "sessions": SIGNED_OUT_OR_IN,
    "begin": {303},
    "complete": {303},
    "sign out": SIGNED_OUT_OR_IN,
    "end others": {303, 401},
    "disconnect": SIGNED_OUT_OR_IN,
    "no such page": {404},
    "no such sign-in": {400},
    "decline": {403},
    "forged form": {403, 401},
}
"""What is done, and what may come of it."""

WEIGHTS = {
    "home": 30,
    "spaces": 12,
    "sessions": 15,
    "sign out": 3,
    "end others": 2,
    "disconnect": 1,
    "no such page": 8,
    "no such sign-in": 8,
    "forged form": 8,
    "hang up": 12,
    "decline": 1,
}


@dataclass
class Diary:
    """What came of everything that was done, of at most *most* requests."""

    most: int
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    hung_up_count: int = 0
    foreign_pages: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many requests were sent."""
        return self.statuses.total() + self.hung_up_count

    @property
    def unexpected(self) -> dict[tuple[str, int], int]:
        """What may not come."""
        return {
            (what, status): count
            for (what, status), count in self.statuses.items()
            if status not in STATUSES[what]
        }


class Regular:
    """One browser of a person."""

    def __init__(self, port: int, email: str, diary: Diary, chance: random.Random) -> None:
        self._browser = Browser(port)
        self._email = email
        self._diary = diary
        self._chance = chance
        self._webex = Visitor()

    async def come_and_go(self) -> None:
        """Do one thing after the other until enough was done."""
        acts: dict[str, Callable[[], Awaitable[None]]] = {
            "hang up": self._hang_up,
            "decline": self._decline,
            "home": self._look_at_home,
        }
        await self._sign_in()
        while self._diary.count < self._diary.most:
            (name,) = self._chance.choices(list(WEIGHTS), list(WEIGHTS.values()))
            await (acts[name]() if name in acts else self._do(name))
        self._browser.close()

    async def _do(self, name: str) -> None:
        browser = self._browser
        answer = await {
            "spaces": lambda: browser.get("/listrooms"),
            "sessions": lambda: browser.get("/sessions"),
            "sign out": lambda: browser.post("/logout"),
            "end others": lambda: browser.post("/sessions/end", others="1"),
            "disconnect": lambda: browser.post("/disconnect"),
            "no such page": lambda: browser.get("/no/such/page"),
            "no such sign-in": lambda: browser.get("/oauth?code=invented&state=invented"),
            "forged form": lambda: browser.post("/logout", csrf_token="invented"),
        }[name]()
        self._note(name, answer)
        if answer.status == 401 or name in {"sign out", "disconnect"}:
            await self._sign_in()

    async def _look_at_home(self) -> None:
        answer = await self._browser.get("/")
        self._note("home", answer)
        shown = {email for email, name in NAMES.items() if name.encode() in answer.body}
        if not shown <= {self._email}:
            self._diary.foreign_pages.append(self._email)

    async def _sign_in(self) -> None:
        callback = await self._consent("accept")
        self._note("complete", await self._browser.get(callback))
        await self._look_at_home()

    async def _decline(self) -> None:
        self._note("decline", await self._browser.get(await self._consent("decline")))

    async def _consent(self, decision: Decision) -> str:
        answer = await self._browser.get("/login")
        self._note("begin", answer)
        (location,) = (value for name, value in answer.headers if name == b"location")
        walk = asyncio.to_thread(self._webex.sign_in, location.decode(), self._email, decision)
        return urlsplit(await walk)._replace(scheme="", netloc="").geturl()

    async def _hang_up(self) -> None:
        target = self._chance.choice(["/", "/listrooms", "/login"])
        self._diary.hung_up_count += 1
        stay_seconds = self._chance.uniform(0, LONGEST_STAY_SECONDS)
        await self._browser.leave_during(target, stay_seconds)

    def _note(self, name: str, answer: Answer) -> None:
        self._diary.statuses[name, answer.status] += 1


def let_come_and_go(port: int, count: int) -> Diary:
    """Make everybody come and go until *count* requests were sent."""
    diary = Diary(count)
    asyncio.run(_all(port, diary))
    return diary


async def _all(port: int, diary: Diary) -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(BROWSERS_OF_EACH):
            for email in NAMES:
                chance = random.Random(f"{email} {number}")  # noqa: S311 - no secret
                group.create_task(Regular(port, email, diary, chance).come_and_go())
