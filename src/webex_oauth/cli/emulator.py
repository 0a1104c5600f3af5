"""`webex-oauth emulator`: a local Webex alone."""

import asyncio
import errno
import os
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from dotenv import dotenv_values

from webex_oauth import emulator as local_webex
from webex_oauth.cli.output import complain, configure_log, say
from webex_oauth.cli.running import run, stop_on_signals
from webex_oauth.errors import ConfigurationError
from webex_oauth.settings import DEFAULT_PORT

EMULATOR_PORT = 8090
DEFAULT_REDIRECT_URI = "http://localhost:8080/oauth"
OWNER_ONLY = 0o600
ENV_SAFE = re.compile(r"[A-Za-z0-9._~-]+")

_Kept = tuple[local_webex.Integration, str]

port_option = click.option(
    "--port",
    type=click.IntRange(1, 65535),
    envvar="PORT",
    default=DEFAULT_PORT,
    show_default=True,
    help="Serve the application on this port.",
)
emulator_port_option = click.option(
    "--emulator-port",
    type=click.IntRange(1, 65535),
    envvar="EMULATOR_PORT",
    default=EMULATOR_PORT,
    show_default=True,
    help="Serve the local Webex's front door on this port.",
)
broker_port_option = click.option(
    "--broker-port",
    type=click.IntRange(0, 65535),
    envvar="EMULATOR_BROKER_PORT",
    help="Serve the identity broker on this port.  [default: 8091, or a free one if it is taken]",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The options of the command line."""

    host: str
    port: int | None
    broker_port: int | None
    origin: str | None
    broker_origin: str | None
    redirect_uri: str | None
    name: str | None
    client_id: str | None
    client_secret: str | None
    seed: int | None
    env_file: Path | None
    allow_beyond_loopback: bool
    control_token: str | None


@click.command(name="emulator")
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen on this address.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    envvar="EMULATOR_PORT",
    help="Serve the front door on this port; 0 chooses a free one.  "
    f"[default: the one an existing --env-file names, or {EMULATOR_PORT}]",
)
@broker_port_option
@click.option(
    "--origin",
    help="Put this origin into every link, as http://webex.test:8090; "
    "without it, links use the name each client asked for.",
)
@click.option("--broker-origin", help="The same for the broker.  [default: --origin's host]")
@click.option(
    "--redirect-uri",
    help=f"Register the integration with this redirect URI.  [default: {DEFAULT_REDIRECT_URI}]",
)
@click.option("--name", help="Show this name on the consent page.")
@click.option(
    "--client-id",
    help=f"Register this client id, {local_webex.CLIENT_ID_PREFIX} and 48 more hexadecimal digits.",
)
@click.option(
    "--client-secret",
    envvar="EMULATOR_CLIENT_SECRET",
    help=f"Register this secret, which begins with {local_webex.CLIENT_SECRET_PREFIX}",
)
@click.option("--seed", type=int, help="Make the same ids, secrets and tokens at every start.")
@click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the integration's .env here, or register the one an existing file names.",
)
@click.option(
    "--allow-beyond-loopback",
    is_flag=True,
    help="Let other machines reach it. There are no passwords: anyone may be anyone.",
)
@click.option(
    "--control-token",
    envvar="EMULATOR_CONTROL_TOKEN",
    help="Allow /_emulator/ from anywhere to requests with this Emulator-Control-Token.",
)
def emulator_command(**choices: Any) -> None:
    """Run a local Webex alone, with an integration registered for your application."""
    configure_log(is_debugging=False)
    run(_serve(Choices(**choices)))


async def _serve(choices: Choices) -> None:
    stop, kept = stop_on_signals(), _read_env(choices.env_file)
    bound = _bind(
        choices.host,
        _port(choices, kept),
        choices.broker_port,
        allow_beyond_loopback=choices.allow_beyond_loopback,
    )
    with closing(bound) as listeners:
        try:
            emulator = _emulator(choices, kept, listeners.origins)
        except ValueError as error:
            raise ConfigurationError([str(error)]) from error
        _write_env(choices.env_file, emulator)
        listeners.open()
        complain(f"People sign in at the identity broker, {emulator.broker_origin}/.")
        complain(f"The emulator is at {emulator.origin}/ and is not Webex. Ctrl-C stops.")
        await local_webex.serve(emulator, listeners, stop)


def _port(choices: Choices, kept: _Kept | None) -> int:
    named = urlsplit(kept[1]).port if kept and not choices.origin else None
    return choices.port or named or (EMULATOR_PORT if choices.port is None else 0)


@asynccontextmanager
async def local_webex_for(
    port: int, emulator_port: int, broker_port: int | None
) -> AsyncIterator[local_webex.Emulator]:
    """Serve a local Webex beside an application on *port*, whose last answers need it."""
    listeners, is_over = _bind("127.0.0.1", emulator_port, broker_port), asyncio.Event()
    integration = local_webex.new_integration(
        local_webex.Randomness(), redirect_uris=(f"http://localhost:{port}/oauth",)
    )
    emulator = local_webex.Emulator(listeners.origins, integrations=[integration])
    listeners.open()
    serving = asyncio.create_task(local_webex.serve(emulator, listeners, is_over))
    try:
        yield emulator
    finally:
        is_over.set()
        await serving


def _bind(
    host: str, port: int, broker_port: int | None, *, allow_beyond_loopback: bool = False
) -> local_webex.Listeners:
    """Bind the emulator's sockets; raise ConfigurationError with what to do."""
    try:
        return local_webex.bind(
            host, port, broker_port, allow_beyond_loopback=allow_beyond_loopback
        )
    except local_webex.BeyondLoopback as error:
        raise ConfigurationError(
            [f"{error}; add --allow-beyond-loopback if you mean it"]
        ) from error
    except local_webex.CannotListen as error:
        raise ConfigurationError([f"{error}: {_remedy(error, broker_port)}"]) from error


def _remedy(error: local_webex.CannotListen, broker_port: int | None) -> str:
    is_about_the_host = isinstance(error.cause, socket.gaierror)
    if is_about_the_host or error.cause.errno == errno.EADDRNOTAVAIL:
        return "--host takes a name or an address of this machine, as 127.0.0.1"
    is_brokers = broker_port is not None and error.port == broker_port
    return f"choose another {'EMULATOR_BROKER_PORT' if is_brokers else 'EMULATOR_PORT'}"


def _emulator(
    choices: Choices, kept: _Kept | None, origins: local_webex.Origins
) -> local_webex.Emulator:
    if choices.origin is not None or choices.broker_origin is not None:
        origins = local_webex.fixed_origins(origins, choices.origin, choices.broker_origin)
    randomness = local_webex.Randomness(choices.seed)
    integration = _customised(choices, kept[0] if kept else local_webex.new_integration(randomness))
    if kept and kept[1] != origins.front_door.configured:
        places = f"the emulator at {kept[1]}, not for {origins.front_door.configured}"
        raise ConfigurationError([f"{choices.env_file} is for {places}: name a new file"])
    if kept and replace(integration, name=kept[0].name) != kept[0]:
        raise ConfigurationError(
            [f"{choices.env_file} names another integration: leave it out, or name a new file"]
        )
    return local_webex.Emulator(
        origins,
        randomness=randomness,
        integrations=[integration],
        control_token=choices.control_token or "",
    )


def _customised(choices: Choices, integration: local_webex.Integration) -> local_webex.Integration:
    secret = choices.client_secret
    if secret is not None and not ENV_SAFE.fullmatch(secret):
        raise ConfigurationError(["--client-secret takes only letters, digits and - . _ ~"])
    stated: dict[str, Any] = {
        "client_id": choices.client_id,
        "client_secret": secret,
        "redirect_uris": None if choices.redirect_uri is None else (choices.redirect_uri,),
        "name": choices.name,
    }
    return replace(integration, **{k: v for k, v in stated.items() if v is not None})


def _write_env(path: Path | None, emulator: local_webex.Emulator) -> None:
    """Print the integration's `.env`, or write it for its owner's eyes only; overwrite nothing."""
    text = local_webex.sample_env(emulator.integration, emulator.origin)
    if path is None:
        for line in text.splitlines():
            say(line)
        return
    if path.exists():
        complain(f"the integration is the one in {path}")
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    except OSError as error:
        raise ConfigurationError(
            [f"{path} was not written ({error.strerror}): name a new file"]
        ) from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    complain(f"wrote {path}")


def _read_env(path: Path | None) -> _Kept | None:
    """Return the integration and the origin that an earlier start wrote to *path*, if it did."""
    if path is None or not path.exists():
        return None
    try:
        return local_webex.read_sample_env(
            dotenv_values(path, interpolate=False, encoding="utf-8-sig")
        )
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            [f"{path} exists and was not written by an emulator: name a new file"]
        ) from error
