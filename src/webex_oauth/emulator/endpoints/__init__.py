"""The HTTP endpoints of the local Webex: what it is asked and what it answers."""
