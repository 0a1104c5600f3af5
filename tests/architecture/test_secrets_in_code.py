"""Rules about secrets that the code itself must keep: compared, made and shown in one way each."""

import ast
import re
from collections.abc import Iterator

import pytest
from architecture.sources import Source, sources

pytestmark = pytest.mark.check("I04")

SECRET_NAME = re.compile(
    r"(?i)(token|state|sig|signature|hash|csrf|secret|digest|verifier|password)s?$"
)
BOTH_ARE_SECRET = "both are of the type Secret, whose comparison takes the same time always"
BOTH_ARE_STORED = "both are digests that this server made and keeps; none comes from outside"
HARMLESS = {
    "flows/revocation.py: tokens.access_token == others.access_token": BOTH_ARE_SECRET,
    "flows/revocation.py: tokens.refresh_token == others.refresh_token": BOTH_ARE_SECRET,
    "oauth/token.py: refresh_token == old.refresh_token": BOTH_ARE_SECRET,
    "flows/sessions.py: one.digest == this": BOTH_ARE_STORED,
    "flows/sessions.py: one.digest != this": BOTH_ARE_STORED,
    "vault/records.py: self.tokens.access_token == access_token": BOTH_ARE_SECRET,
    "vault/ledger.py: other.name != digest": BOTH_ARE_STORED,
    "vault/refresh.py: held.access_token != stale": BOTH_ARE_SECRET,
    "vault/token_endpoint.py: new != refresh_token": BOTH_ARE_SECRET,
    "vault/refresh.py: held.access_token == access_token": BOTH_ARE_SECRET,
}
UNSAFE_RANDOMNESS = frozenset({"random", "uuid"})
EMULATOR = "src/webex_oauth/emulator/"


def is_secret(node: ast.expr) -> bool:
    """Tell whether an expression is named as something that must not be guessed."""
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return SECRET_NAME.search(name) is not None


def is_plain(node: ast.expr) -> bool:
    """Tell whether an expression is a literal such as None, 0 or an empty text."""
    return isinstance(node, ast.Constant) and (node.value is None or not node.value)


def early_ending_comparisons(source: Source) -> Iterator[str]:
    """Find `==`, `!=` and `in` between values of which one is secret by its name."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Compare):
            continue
        operands = [node.left, *node.comparators]
        is_ending_early = any(isinstance(one, ast.Eq | ast.NotEq) for one in node.ops)
        if is_ending_early and any(map(is_secret, operands)) and not any(map(is_plain, operands)):
            yield f"{source.path.removeprefix('src/webex_oauth/')}: {ast.unparse(node)}"


def imported_modules(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def parsed(text: str) -> Source:
    return Source("example.py", text, ast.parse(text))


MESSAGE_AND_VALUES = 2
"""A constant that names its values, and one mapping of them, which `logging` puts in."""


@pytest.mark.check("D10")
def test_no_secret_is_compared_in_a_way_that_ends_early() -> None:
    found = {wrong for source in sources() for wrong in early_ending_comparisons(source)}

    assert found - HARMLESS.keys() == set()


@pytest.mark.check("D10")
@pytest.mark.parametrize(
    "text",
    [
        "a == csrf_token",
        "self.state != other",
        "x.digest == y",
        "presented_signature == b",
        "a == t.SECRET",
    ],
)
def test_the_rule_about_comparisons_finds(text: str) -> None:
    assert list(early_ending_comparisons(parsed(text)))


@pytest.mark.parametrize(
    "text", ["a == b", "token is None", "state == ''", "secret == None", "len(token) > 3"]
)
def test_the_rule_about_comparisons_leaves_alone(text: str) -> None:
    assert not list(early_ending_comparisons(parsed(text)))


@pytest.mark.check("F08")
def test_nothing_secret_comes_from_a_guessable_source() -> None:
    guessable = [
        f"{source.path} imports {module}"
        for source in sources()
        if not source.path.startswith(EMULATOR)
        for module in imported_modules(source)
        if module.partition(".")[0] in UNSAFE_RANDOMNESS
    ]

    assert guessable == []


@pytest.mark.check("F08")
def test_randomness_comes_in_at_the_edge_alone() -> None:
    makers = {
        source.path.removeprefix("src/webex_oauth/")
        for source in sources()
        if not source.path.startswith(EMULATOR)
        and ("secrets" in imported_modules(source) or "os.urandom" in source.text)
    }

    assert makers == {
        "cli/keys.py",
        "flows/refusal_log.py",
        "integration/__init__.py",
        "opening/__init__.py",
        "testing.py",
    }


@pytest.mark.check("E02")
def test_a_secret_is_revealed_only_where_something_is_built_of_it() -> None:
    revealing = {
        source.path.removeprefix("src/webex_oauth/")
        for source in sources()
        if ".reveal()" in source.text and not source.path.startswith(EMULATOR)
    }

    assert revealing <= {
        "cli/token.py",
        "cli/keys.py",
        "httpx.py",
        "requests.py",
        "sdks.py",
        "oauth/authorization.py",
        "oauth/device.py",
        "oauth/server.py",
        "oauth/token.py",
        "secret.py",
        "settings/reader.py",
        "settings/variables.py",
        "stores/postgres/pool.py",
        "stores/redis/address.py",
        "transport/dialing.py",
        "vault/records.py",
        "vault/sealing.py",
        "vault/key_agreement.py",
        "flows/cookies.py",
        "web/visit.py",
        "web/rendering.py",
    }


@pytest.mark.check("E09")
def test_no_log_message_is_built_of_values() -> None:
    built = [
        f"{source.path}:{node.lineno}"
        for source in sources()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).startswith(("log.", "_log."))
        and not (isinstance(node.args[0], ast.Constant) and len(node.args) <= MESSAGE_AND_VALUES)
    ]

    assert built == []


def test_every_value_of_a_log_message_is_in_its_words() -> None:
    silent = [
        f"{source.path}:{node.lineno}"
        for source in sources()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).startswith(("log.", "_log."))
        and any(keyword.arg == "extra" for keyword in node.keywords)
    ]

    assert silent == []
