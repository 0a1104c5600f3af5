"""The composition root: settings become an integration at work; only here adapters are chosen."""
