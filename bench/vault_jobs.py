"""What processes with a vault or a database are asked to do, and what they give back."""

from collections.abc import Mapping

import msgspec

FILL_PATIENCE_SECONDS = 120.0
SLOWEST_FILL_PER_SECOND = 1_000
PATIENCE_SECONDS = 60.0
SLOWEST_REFRESH_SECONDS = 0.5


class Offer(msgspec.Struct, frozen=True):
    """A database server: its store's URL and what it is, or why there is none."""

    url: str = ""
    server: str = ""
    reason: str | None = None


class FillJob(msgspec.Struct, frozen=True, tag="fill"):
    """Put grants with one session each into the store, from serial number *first* on."""

    variables: Mapping[str, str]
    first: int
    count: int


class ReadsJob(msgspec.Struct, frozen=True, tag="reads"):
    """Read sessions and access tokens of random people in a closed loop.

    `database_pid` is the process above the database's, None where there is no such process.
    """

    variables: Mapping[str, str]
    grant_count: int
    concurrency: int
    warm_up_seconds: float
    seconds: float
    database_pid: int | None


class RefreshesJob(msgspec.Struct, frozen=True, tag="refreshes"):
    """Ask for tokens in turns: by the request alone, and by a whole refresh."""

    variables: Mapping[str, str]
    grant_count: int
    refresh_count: int


VaultJob = FillJob | ReadsJob | RefreshesJob


class Filled(msgspec.Struct, frozen=True):
    """So many people were put into the store."""

    count: int
    seconds: float


class Reads(msgspec.Struct, frozen=True):
    """What a closed loop of reads reached, and the CPU it took here and in the database."""

    count: int
    seconds: float
    cpu_seconds: float
    database_cpu_seconds: float


class Refreshes(msgspec.Struct, frozen=True):
    """How long the request alone took, and how long the whole refresh; medians."""

    request_seconds: float
    refresh_seconds: float


def vault_limit_seconds(job: VaultJob) -> float:
    """Return after how long a job has failed."""
    match job:
        case FillJob():
            return job.count / SLOWEST_FILL_PER_SECOND + FILL_PATIENCE_SECONDS
        case ReadsJob():
            return job.warm_up_seconds + job.seconds + PATIENCE_SECONDS
        case RefreshesJob():
            return job.refresh_count * SLOWEST_REFRESH_SECONDS + PATIENCE_SECONDS
