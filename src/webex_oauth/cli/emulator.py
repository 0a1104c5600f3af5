"""`webex-oauth emulator`: a local Webex alone."""

import os
from pathlib import Path

import click

from webex_oauth import emulator as local_webex
from webex_oauth.cli.log import configure_log
from webex_oauth.cli.running import run, stop_on_signals
from webex_oauth.errors import ConfigurationError

EMULATOR_PORT = 8090
OWNER_ONLY = 0o600


broker_port_option = click.option(
    "--broker-port",
    type=click.IntRange(0, 65535),
    envvar="EMULATOR_BROKER_PORT",
    help="Serve the identity broker on this port.  [default: 8091, or a free one if it is taken]",
)


@click.command(name="emulator")
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen on this address.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    envvar="EMULATOR_PORT",
    default=EMULATOR_PORT,
    show_default=True,
    help="Listen on this port; 0 chooses a free one.",
)
@broker_port_option
@click.option(
    "--redirect-uri",
    default="http://localhost:8080/oauth",
    show_default=True,
    help="The redirect URI of the integration that is registered.",
)
@click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the integration's .env here; an existing file is left alone.",
)
@click.option(
    "--allow-beyond-loopback",
    is_flag=True,
    help="Let other machines reach it. There are no passwords: anyone may be anyone.",
)
def command(
    *,
    host: str,
    port: int,
    broker_port: int | None,
    redirect_uri: str,
    env_file: Path | None,
    allow_beyond_loopback: bool,
) -> None:
    """Run a local Webex alone, with an integration registered for your application."""
    configure_log(is_debugging=False)
    listeners = open_listeners(host, port, broker_port, allow_beyond_loopback=allow_beyond_loopback)
    run(_serve(listeners, redirect_uri, env_file))


async def _serve(
    listeners: local_webex.Listeners, redirect_uri: str, env_file: Path | None
) -> None:
    stop, emulator = stop_on_signals(), local_emulator(listeners, redirect_uri)
    text = local_webex.sample_env(emulator.integration, emulator.origin)
    if env_file is None:
        click.echo(text)
    else:
        write_env_file(env_file, text)
        click.echo(f"wrote {env_file}", err=True)
    click.echo(f"People sign in at the identity broker, {emulator.broker_origin}/.", err=True)
    click.echo(f"The emulator is at {emulator.origin}/ and is not Webex. Ctrl-C stops.", err=True)
    await local_webex.serve(emulator, listeners, stop)


def open_listeners(
    host: str, port: int, broker_port: int | None, *, allow_beyond_loopback: bool = False
) -> local_webex.Listeners:
    """Bind the emulator's sockets; raises click.ClickException with what to do."""
    try:
        return local_webex.listen(
            host, port, broker_port, allow_beyond_loopback=allow_beyond_loopback
        )
    except local_webex.BeyondLoopback as error:
        raise click.ClickException(
            f"{error}; add --allow-beyond-loopback if you mean it"
        ) from error
    except OSError as error:
        raise click.ClickException(
            f"cannot listen on {host}:{port} ({error.strerror}): choose another EMULATOR_PORT"
        ) from error


def local_emulator(listeners: local_webex.Listeners, redirect_uri: str) -> local_webex.Emulator:
    """Make an emulator with one integration, registered for *redirect_uri*."""
    integration = local_webex.new_integration(
        local_webex.Randomness(), redirect_uris=(redirect_uri,)
    )
    return local_webex.Emulator(listeners.origins, integrations=(integration,))


def write_env_file(path: Path, text: str) -> None:
    """Write *text* for the owner's eyes only; raises ConfigurationError rather than overwrite."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    except OSError as error:
        raise ConfigurationError(
            [f"{path} was not written ({error.strerror}): name a new file"]
        ) from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
