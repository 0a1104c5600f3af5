"""Where records are kept; each module is one database behind the vault's Store protocol."""
