"""The others: people who are to notice nothing of a flood."""

from crashes.arrivals import Arrivals, arrive
from crashes.people import HEALTH, NEW_SIGN_IN, OWN_PAGE, People, Person
from floods.stage import Stage

MIRA, JONAS = "mira@acme.example", "jonas@acme.example"
MOST_SECONDS = 10
AS_ALWAYS = {(OWN_PAGE, 200), (NEW_SIGN_IN, 303), (HEALTH, 200)}


def check_undisturbed(people: People, arrivals: Arrivals) -> None:
    """Check whether people got their own pages, and were let in, all in good time."""
    assert set(people.statuses) == AS_ALWAYS
    assert people.failures == []
    assert {visit.is_own for visit in people.visits if visit.path == OWN_PAGE} == {True}
    assert arrivals.statuses == {303}
    assert max(people.longest_seconds(), arrivals.longest_seconds()) < MOST_SECONDS


def signed_in_person(stage: Stage, email: str) -> Person:
    """Sign somebody in who then asks for their page all the time."""
    arrival = arrive(stage.port, email)
    assert arrival.is_admitted
    return Person(email, arrival.cookies, stage.port)
