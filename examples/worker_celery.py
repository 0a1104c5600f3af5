"""Celery tasks that act for everybody; each process of the pool opens the integration itself."""

from celery import Celery

from webex_oauth import Integration, TemporaryError
from webex_oauth.webex import rooms

app = Celery("worker", broker="memory://", backend="cache+memory://")
webex = Integration()


@app.task(autoretry_for=(TemporaryError,), retry_backoff=True, max_retries=5)
def count_rooms(person_id: str) -> int:
    return sum(1 for _ in webex.grants.get(person_id).items(rooms.listing(max_items=1000)))


@app.task
def sweep() -> int:
    people = [grant.person_id for grant in webex.grants.list(status="active")]
    for person_id in people:
        count_rooms.delay(person_id)
    return len(people)
