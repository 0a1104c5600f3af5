"""The peer in Flask."""
