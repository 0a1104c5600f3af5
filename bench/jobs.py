"""What the load generator can be asked to do, and what it gives back."""

import msgspec

PATIENCE_SECONDS = 60.0
SLOWEST_SIGN_INS_PER_SECOND = 50


class Target(msgspec.Struct, frozen=True):
    """The server under test and where its journeys begin."""

    port: int
    pid: int
    sign_in: str
    upstream_port: int


class RoomsJob(msgspec.Struct, frozen=True, tag="rooms"):
    """Ask for the rooms page in a closed loop."""

    target: Target
    path: str
    concurrency: int
    room_count: int
    latency_ms: int
    warm_up_seconds: float
    seconds: float


class SignInsJob(msgspec.Struct, frozen=True, tag="sign-ins"):
    """Sign in one new person after the other in a closed loop."""

    target: Target
    concurrency: int
    warm_up_seconds: float
    seconds: float


class SessionsJob(msgspec.Struct, frozen=True, tag="sessions"):
    """Sign in so many people, each once, and leave."""

    target: Target
    concurrency: int
    first_serial: int
    session_count: int


class RowsJob(msgspec.Struct, frozen=True, tag="rows"):
    """Ask for one long rooms page, and note its first and its last row."""

    target: Target
    path: str
    room_count: int
    latency_ms: int


Job = RoomsJob | SignInsJob | SessionsJob | RowsJob


class Throughput(msgspec.Struct, frozen=True):
    """What a closed loop reached, and what the server and its upstream did in the same window."""

    answers: int
    seconds: float
    server_cpu_seconds: float
    upstream_answers: int
    median_seconds: float
    slowest_percent_seconds: float


class Rows(msgspec.Struct, frozen=True):
    """When the first row and the whole of one page were there."""

    first_row_seconds: float
    whole_seconds: float


class Done(msgspec.Struct, frozen=True):
    """So many people signed in."""

    session_count: int
    seconds: float


def limit_seconds(job: Job) -> float:
    """Return after how long a job has failed."""
    match job:
        case RoomsJob() | SignInsJob():
            return job.warm_up_seconds + job.seconds + PATIENCE_SECONDS
        case SessionsJob():
            return job.session_count / SLOWEST_SIGN_INS_PER_SECOND + PATIENCE_SECONDS
        case RowsJob():
            return PATIENCE_SECONDS
