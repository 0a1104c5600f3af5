"""The identity broker's state: integrations, consent, codes and tokens; no HTTP here."""
