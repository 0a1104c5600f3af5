"""What a token endpoint or an API may answer when it is broken, hostile or not there at all."""

from webex_oauth.emulator import Answer

TOKEN = "hostile-access-token-of-thirty-two-characters"


def token_answer(**members: str) -> str:
    """Write a token answer member by member, so that it may be as wrong as JSON allows."""
    whole = {
        "access_token": f'"{TOKEN}"',
        "token_type": '"Bearer"',
        "expires_in": "3600",
        "refresh_token": '"hostile-refresh-token-of-thirty-two-letters"',
        **members,
    }
    return "{" + ", ".join(f'"{name}": {value}' for name, value in whole.items() if value) + "}"


JUNK = {
    "nothing": Answer(),
    "HTML": Answer(text="<html>Sign in to the Wi-Fi</html>", content_type="text/html"),
    "HTML that says JSON": Answer(text="<html>"),
    "JSON that says HTML": Answer(text=token_answer(), content_type="text/html"),
    "no media type": Answer(text=token_answer(), content_type=""),
    "an array": Answer(text="[]"),
    "a text": Answer(text='"token"'),
    "a number": Answer(text="1"),
    "null": Answer(text="null"),
    "an empty object": Answer(text="{}"),
    "half an object": Answer(text='{"access_token": "abc'),
    "two objects": Answer(text="{}{}"),
    "UTF-16": Answer(body=token_answer().encode("utf-16")),
    "broken UTF-8": Answer(body=b'{"access_token": "\xff\xfe"}'),
    "deep": Answer(text="[" * 20_000 + "]" * 20_000),
    "deep objects": Answer(text='{"a":' * 9_000 + "1" + "}" * 9_000),
    "NaN": Answer(text=token_answer(expires_in="NaN")),
    "Infinity": Answer(text=token_answer(expires_in="Infinity")),
    "comments": Answer(text="/* */ " + token_answer()),
    "a trailing comma": Answer(text='{"access_token": "a",}'),
    "form encoding": Answer(
        text="access_token=abc&token_type=bearer", content_type="application/x-www-form-urlencoded"
    ),
    "JavaScript": Answer(text="while(1);{}"),
    "status 204": Answer(status=204),
    "status 201": Answer(status=201, text=token_answer()),
    "status 206": Answer(status=206, text=token_answer()),
    "an error in a success": Answer(text='{"error": "server_error"}'),
    "brotli": Answer(body=b"\x0b\x02\x80{}\x03", headers={"Content-Encoding": "br"}),
    "deflate": Answer(body=b"x\x9c\xab\xae\x05\x00", headers={"Content-Encoding": "deflate"}),
    "broken gzip": Answer(body=b"\x1f\x8b\x08nonsense", headers={"Content-Encoding": "gzip"}),
    "stacked gzip": Answer(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip, gzip"}),
}
"""Answers that no caller can use."""

WRONG_TOKENS = {
    "no access token": token_answer(access_token=""),
    "an empty access token": token_answer(access_token='""'),
    "an access token that is null": token_answer(access_token="null"),
    "an access token that is a number": token_answer(access_token="12345678901234567890"),
    "an access token that is a list": token_answer(access_token='["a"]'),
    "an access token with a line end": token_answer(access_token='"abc\\r\\nX-Evil: 1"'),
    "an access token with a NUL": token_answer(access_token='"abc\\u0000"'),
    "an access token with a space": token_answer(access_token='"abc def"'),
    "an access token beyond ASCII": token_answer(access_token='"t\\u00f6ken"'),
    "an access token with half a character": token_answer(access_token='"\\ud800"'),
    "an access token of 20 KB": token_answer(access_token=f'"{TOKEN * 500}"'),
    "a refresh token with a line end": token_answer(refresh_token='"abc\\ndef"'),
    "a refresh token that is a number": token_answer(refresh_token="1"),
    "another token type": token_answer(token_type='"mac"'),
    "a token type that is a list": token_answer(token_type='["Bearer"]'),
    "a scope that is a list": token_answer(scope='["spark:all"]'),
    "a scope with a quote": token_answer(scope='"spark:\\"all"'),
}
"""Token answers that must be refused whole."""

ODD_TOKENS = {
    "a lower-case token type": token_answer(token_type='"bearer"'),
    "an upper-case token type": token_answer(token_type='"BEARER"'),
    "no token type": token_answer(token_type=""),
    "a lifetime that is a text": token_answer(expires_in='"3600"'),
    "no lifetime": token_answer(expires_in=""),
    "a negative lifetime": token_answer(expires_in="-5"),
    "a lifetime of ages": token_answer(expires_in="1" + "0" * 30),
    "a lifetime with 5,000 digits": token_answer(expires_in="9" * 5_000),
    "a broken lifetime": token_answer(expires_in="1.5"),
    "a lifetime that is a word": token_answer(expires_in='"soon"'),
    "a lifetime that is true": token_answer(expires_in="true"),
    "no refresh token": token_answer(refresh_token=""),
    "a refresh token that is null": token_answer(refresh_token="null"),
    "unknown members": token_answer(**{"x-new": '{"a": [1, 2]}'}),
    "the access token twice": token_answer()[:-1] + f', "access_token": "{TOKEN}"}}',
    "an empty scope": token_answer(scope='""'),
}
"""Token answers that are unusual; each is either used or refused, and never breaks anything."""
