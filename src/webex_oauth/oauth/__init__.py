"""OAuth 2.0 for a confidential client, generic and pure: values in, values out.

`server` describes who takes part, `authorization` begins a sign-in and reads its callback, `token`
exchanges, refreshes and revokes, `device` signs in without a browser, `http` is what they ask with.
"""
