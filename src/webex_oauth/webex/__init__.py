"""Webex's facts as data, and its REST resources; pure."""
