"""Every error of webex-oauth; the type decides what to do, and `remedy` says it in words.

WebexOAuthError
├── ConfigurationError             the operator changes a setting
├── SignInError                    the person starts again
│   ├── MalformedCallback          the callback is not one an authorization server sends
│   │   └── IncompleteCallback     it lacks its state, or both code and error
│   ├── AttemptUnknown             no such attempt: expired, finished or invented
│   ├── AttemptForeign             the attempt belongs to another browser
│   ├── AttemptInProgress          another request is completing the same attempt
│   ├── IssuerMismatch             the callback comes from another authorization server
│   └── AuthorizationRefused       the authorization server answered with an error
├── TokenError                     the token endpoint refused
│   ├── InvalidGrant               the code or refresh token is spent: authorize again
│   ├── InvalidClient              client id or secret are wrong: the operator's task
│   └── TokenRequestRefused        any other refusal
├── UpstreamError                  Webex could not be used: try later, lose nothing
│   ├── RequestNotSent             it never left: repeating is free
│   │   ├── HostNotFound           DNS does not know the name
│   │   ├── ConnectFailed          nothing listens there, or nothing answers
│   │   ├── CertificateRefused     the server's certificate is not trusted
│   │   ├── TlsFailed              no TLS with what answers there
│   │   └── ProxyFailed            the proxy is not there or opens no tunnel
│   ├── AnswerLost                 it may have been processed: ambiguous
│   │   └── DeadlineExceeded       no whole answer within the deadline
│   ├── RateLimited                too many requests; says when to come back
│   ├── ServerFailed               a 5xx or 408 answer
│   ├── RefreshPostponed           no refresh yet; says when to come back
│   └── InvalidResponse            an answer that breaks the protocol
│       ├── ResponseTooLarge       an answer beyond the size that was allowed
│       └── ListTooLong            a list with more pages than are asked for
├── ApiError                       Webex's API refused the call
│   ├── AccessTokenRefused         401: refresh, then sign in again
│   ├── AccessForbidden            403: a scope, role or licence is missing
│   └── ResourceNotFound           404
├── ReauthRequired                 the grant is over: the person signs in again
├── StoreError                     the store failed
│   ├── StoreUnavailable           it cannot answer: 503, never "anonymous"
│   └── StoreConflict              the record moved on under the writer
└── VaultError                     something sealed cannot be opened
    ├── KeyUnavailable             the key is missing, malformed or too widely readable
    └── SealBroken                 the seal does not fit its place: tampering or a wrong key
"""

from webex_oauth.errors.root import (
    ConfigurationError,
    WebexOAuthError,
)
from webex_oauth.errors.sign_in import (
    AttemptForeign,
    AttemptInProgress,
    AttemptUnknown,
    AuthorizationRefused,
    IncompleteCallback,
    IssuerMismatch,
    MalformedCallback,
    SignInError,
)
from webex_oauth.errors.storage import (
    KeyUnavailable,
    SealBroken,
    StoreConflict,
    StoreError,
    StoreUnavailable,
    VaultError,
)
from webex_oauth.errors.tokens import (
    InvalidClient,
    InvalidGrant,
    ReauthReason,
    ReauthRequired,
    TokenError,
    TokenRequestRefused,
)
from webex_oauth.errors.upstream import (
    AccessForbidden,
    AccessTokenRefused,
    AnswerLost,
    ApiError,
    CertificateRefused,
    ConnectFailed,
    DeadlineExceeded,
    HostNotFound,
    InvalidResponse,
    ListTooLong,
    ProxyFailed,
    RateLimited,
    RefreshPostponed,
    RequestNotSent,
    ResourceNotFound,
    ResponseTooLarge,
    ServerFailed,
    TlsFailed,
    UpstreamError,
)

__all__ = [
    "AccessForbidden",
    "AccessTokenRefused",
    "AnswerLost",
    "ApiError",
    "AttemptForeign",
    "AttemptInProgress",
    "AttemptUnknown",
    "AuthorizationRefused",
    "CertificateRefused",
    "ConfigurationError",
    "ConnectFailed",
    "DeadlineExceeded",
    "HostNotFound",
    "IncompleteCallback",
    "InvalidClient",
    "InvalidGrant",
    "InvalidResponse",
    "IssuerMismatch",
    "KeyUnavailable",
    "ListTooLong",
    "MalformedCallback",
    "ProxyFailed",
    "RateLimited",
    "ReauthReason",
    "ReauthRequired",
    "RefreshPostponed",
    "RequestNotSent",
    "ResourceNotFound",
    "ResponseTooLarge",
    "SealBroken",
    "ServerFailed",
    "SignInError",
    "StoreConflict",
    "StoreError",
    "StoreUnavailable",
    "TlsFailed",
    "TokenError",
    "TokenRequestRefused",
    "UpstreamError",
    "VaultError",
    "WebexOAuthError",
]
