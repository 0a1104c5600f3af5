"""The vault: grants kept sealed, found again, and kept alive."""
