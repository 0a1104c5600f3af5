"""Journeys in a real Chromium. A package, so that pytest ends its fixtures when it is done here."""
