"""The command `webex-oauth`: one file for each of its commands, loaded when it is called."""

import importlib

import click

from webex_oauth.cli.edge import Edge
from webex_oauth.cli.limits import set_limits

COMMANDS = {
    "demo": "Run the application and a local Webex together.",
    "serve": "Run the application with your integration.",
    "keep": "Keep grants alive that nobody uses, in a process of its own.",
    "emulator": "Run a local Webex alone.",
    "disconnect": "End everything that is kept of one person.",
    "keys": "List, add, change and retire the keys that seal the store.",
    "check-config": "Tell every mistake of the configuration at once.",
}


class Commands(Edge, click.Group):
    """Find commands by name without importing the others: start-up stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"webex_oauth.cli.{cmd_name.replace('-', '_')}")
        command = module.command
        if not isinstance(command, click.Command):
            raise TypeError(f"{cmd_name} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="webex-oauth", message="webex-oauth %(version)s")
def main() -> None:
    """Sign in with Webex, keep the tokens alive, run a local Webex."""
    set_limits()
