"""HTTP/1.1 to Webex, and the only place that speaks it (docs/decisions/0003-http-client.md).

Every exchange has one deadline for the whole of it and one bound on the decoded answer. No
redirect is followed, no cookie kept, nothing read from the environment. A failure says exactly
whether the request left.
"""

from webex_oauth.transport.http_transport import HttpTransport

__all__ = ["HttpTransport"]
