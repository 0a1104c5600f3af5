"""`webex-oauth check-config`: tell every mistake of the configuration at once."""

from pathlib import Path

import click

from webex_oauth.cli.environment import env_file_option, settings_or_exit, sources_or_exit
from webex_oauth.cli.printing import say


@click.command(name="check-config")
@env_file_option
def command(env_file: Path | None) -> None:
    """Tell every mistake of the configuration at once, each with its remedy.

    Exits with 1 when there is a mistake, with 0 when there are only warnings.
    """
    settings = settings_or_exit(sources_or_exit(env_file))
    say(f"sign-in starts at   {settings.public_origin}/")
    say(f"redirect URI        {settings.client.redirect_uri}")
    say(f"Webex               {settings.platform.origin}")
    say(f"scopes              {' '.join(settings.scopes)}")
    say(f"listens on          {settings.host}:{settings.port}")
    say(f"workers             {settings.workers}")
    say(f"store               {settings.shown_store_url}")
    say(f"keys                {settings.keys_file if settings.keys_text is None else 'WEBEX_KEYS'}")
    say("The configuration is complete.")
