"""The server and the client of RFC 6749's examples."""

from webex_oauth.oauth.server import AuthorizationServer, Client
from webex_oauth.secret import Secret

NOW = 1_700_000_000
SERVER = AuthorizationServer(
    issuer="https://as.example",
    authorization_endpoint="https://as.example/authorize",
    token_endpoint="https://as.example/token",
    revocation_endpoint="https://as.example/revoke",
)
CLIENT = Client("s6BhdRkqt3", Secret("gX1fBat3bV"), "https://client.example.com/cb")
