"""Webex's facts as data, and its REST resources; pure.

`platform` is where Webex is and how it refuses, `scopes` what people allow; `people` and `rooms`
are resources, which `api` asks for and `decoding` reads.
"""
