"""OAuth 2.0 for a confidential client, generic and pure: values in, values out."""
