"""`webex-oauth check-config`: tell every mistake of the configuration at once."""

from pathlib import Path

import click

from webex_oauth.cli.environment import env_file_option, settings_or_exit, variables_or_exit


@click.command(name="check-config")
@env_file_option
def command(env_file: Path) -> None:
    """Tell every mistake of the configuration at once, each with its remedy.

    Exits with 1 when there is a mistake, with 0 when there are only warnings.
    """
    settings = settings_or_exit(variables_or_exit(env_file))
    click.echo(f"sign-in starts at   {settings.public_origin}/")
    click.echo(f"redirect URI        {settings.client.redirect_uri}")
    click.echo(f"Webex               {settings.platform.origin}")
    click.echo(f"scopes              {' '.join(settings.scopes)}")
    click.echo(f"listens on          {settings.host}:{settings.port}")
    click.echo(f"workers             {settings.workers}")
    click.echo(f"store               {settings.shown_store_url}")
    click.echo(
        f"keys                {settings.keys_file if settings.keys_text is None else 'WEBEX_KEYS'}"
    )
    click.echo("The configuration is complete.")
