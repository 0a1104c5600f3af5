"""A local Webex, and the settings of an integration that is registered there."""

from library.conftest import running, world

__all__ = ["running", "world"]
