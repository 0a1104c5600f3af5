"""The peer in Starlette."""
