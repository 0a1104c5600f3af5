"""A local Webex, and the settings of an integration that is registered there."""

from library.conftest import anyio_backend, running, world

__all__ = ["anyio_backend", "running", "world"]
