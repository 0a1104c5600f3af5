"""Run the command line with `python -m webex_oauth`."""

from webex_oauth.cli import main

main()
