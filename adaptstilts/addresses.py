"""Addresses as people may see them: what logs in (users, passwords, tokens, signatures) is written as ``***``.

Every text that leaves the process goes through `shown_address`: messages, logs, records and files. Secrets that
`keep_secret` and `keep_token` were told of, and those of the environment, are hidden wherever a server or a library
repeats them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from urllib.parse import unquote

HIDDEN = "***"
"""Stands for a secret."""
_LEAST_LENGTH = 6
"""Characters of the shortest secret that is hidden outside addresses too; shorter ones are often plain words."""
_LONGEST_LOGIN = 4096
_CONTAINERS = frozenset({"abfs", "abfss", "wasb", "wasbs"})
"""Protocols whose addresses name a container before the @."""

_START = re.compile(r"\b([a-z][a-z0-9+.-]{1,40}):(?://(?!/)|/(?![/\s]))", re.IGNORECASE)
_AUTHORITY = re.compile(r"[^\s/?#]*")
_WORD = re.compile(r"\S*")
_PORT = re.compile(r"\d{1,5}(?:\W|$)")
_NAME = re.compile(r"(?:[?&;#]|%26|%3F)([\w.%\[\]-]{1,64}?)(?:=|%3D)", re.IGNORECASE)
_VALUE = re.compile(r"(?:[^\s&#'\"<>:]|:(?!\s|$))*")
"""A value of a query; a colon behind it ends the address in a message."""
_PLAIN_NAMES = frozenset(
    {"sig", "key", "sas", "pass", "pw", "jwt", "auth", "oauth", "policy", "keypairid", "session", "sessionid",
     "googleaccessid", "user", "username", "login"}
)  # fmt: skip
"""Names of what logs in, in letters and digits; `_WORDS` are parts of others."""
_WORDS = (
    "token", "signature", "secret", "password", "passwd", "pwd", "credential", "apikey", "accesskey", "accountkey",
    "authorization",
)  # fmt: skip
_STARTS = ("xamz", "xgoog")
_SECRET_NAME = (
    r"(?:password|passwd|secret|secret_?key|api_?key|access_?key|account_?key|connection_?string"
    r"|(?:(?:access|auth|session|security|refresh|hf|hub|api)[_-]|\b)token)"
)
_TEXTS = (
    re.compile(
        r"(\b(?:proxy-)?(?:authorization|set-cookie|cookie|x-[\w-]{0,40}(?:token|key))['\"]?\s{0,3}[:=]\s{0,3}['\"]?"
        r"(?:(?:bearer|basic|digest|negotiate|token|aws4-hmac-sha256)\s{1,3})?)[^\s'\",]+",
        re.IGNORECASE,
    ),
    re.compile(r"(\bbearer\s{1,3})[\w+/=.~-]{6,}", re.IGNORECASE),
    re.compile(r"(\bBasic\s{1,3})(?=[a-z]*[A-Z0-9+/=])[\w+/=]{8,}"),
    re.compile(r"(\b(?:credential|signature)=)[^\s,'\"&]+", re.IGNORECASE),
    re.compile(rf"({_SECRET_NAME}(?:=|['\"]\s{{0,3}}[:=]\s{{0,3}})['\"]?)(?:[^\s'\",;&):]|:(?!\s|$))+", re.IGNORECASE),
    re.compile(r"(%3A%2F%2F)[^\s&'\"/]{0,1000}(?=%40)", re.IGNORECASE),
    re.compile(r"(\b)(?:hf_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{16,})"),
)
"""Secrets outside addresses; the first group stays."""
_VARIABLE = re.compile(r"TOKEN(?!IZ)|SECRET|PASSWORD|PASSWD|API_?KEY|ACCESS_KEY|ACCOUNT_KEY|CONNECTION_STRING")
_PATH_VARIABLE = re.compile(r"_(?:FILE|PATH|DIR|FOLDER)$")
_kept: set[str] = set()


def shown_address(text: str) -> str:
    """Return a text, such as an address or a message, without what logs in; other texts are returned as they are."""
    for secret in sorted({*_kept, *_of_environment()}, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    if ":/" in text:
        text = _replaced(text, _logins(text))
    if "=" in text or "%3D" in text:
        text = _replaced(text, _values(text))
    for pattern in _TEXTS:
        text = pattern.sub(rf"\g<1>{HIDDEN}", text)
    return text


def keep_secret(address: str) -> None:
    """Hide the passwords, tokens and signatures of an address in all texts from now on, whoever repeats them."""
    for start, end in _logins(address):
        user, colon, password = address[start:end].partition(":")
        secret = password if colon else user
        if colon or len(secret) >= 2 * _LEAST_LENGTH:  # a short name without a password is a person's
            keep_token(secret)
    for start, end in _values(address):
        keep_token(address[start:end])


def keep_token(token: str) -> None:
    """Hide a token or password in all texts from now on, unless it is so short that other words would hold it."""
    _kept.update(form for form in (token, unquote(token)) if len(form) >= _LEAST_LENGTH and form != HIDDEN)


def without_secrets(address: str) -> str:
    """Return an address without its fragment and the secret parts of its query."""
    address = address.partition("#")[0]
    base, mark, query = address.partition("?")
    kept = [part for part in query.split("&") if part and not _is_secret(part.partition("=")[0])]
    return f"{base}?{'&'.join(kept)}" if mark and kept else base


def _of_environment() -> Iterator[str]:
    for name, value in os.environ.items():
        if len(value) > _LEAST_LENGTH and _VARIABLE.search(name) and not _PATH_VARIABLE.search(name):
            yield value


def _logins(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the users and passwords of addresses begin and end, without the @ after them."""
    after = 0
    for found in _START.finditer(text):
        start = found.end()
        if start >= after:
            end = _end_of_login(text, start, found[1].lower())
            if end > start:
                yield start, end
                after = end


def _end_of_login(text: str, start: int, protocol: str) -> int:
    """Return where the @ after user and password stands; `start` if there is none.

    A password may hold signs that an address should not: / and @ are taken for its own, and so are blanks.
    """
    longest = start + _LONGEST_LOGIN
    authority = _AUTHORITY.match(text, start, longest)[0]  # type: ignore[index]
    word = _WORD.match(text, start, longest)[0]  # type: ignore[index]
    word = word[: following.start()] if (following := _START.search(word)) else word
    user, colon, rest = authority.partition(":")
    has_password = bool(colon) and "@" not in user and bool(rest) and not _PORT.match(rest)
    if has_password and "@" in word:
        return start + word.rindex("@")
    if "@" in authority:
        is_container = protocol in _CONTAINERS and ":" not in authority
        return start if is_container else start + authority.rindex("@")
    if has_password:
        line = re.match(r"[^/?#\n]*", text[start:longest])[0]  # type: ignore[index]
        return start + max(line.rfind("@"), 0)
    return start


def _values(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the secret values of queries and fragments begin and end."""
    for found in _NAME.finditer(text):
        if _is_secret(found[1]):
            yield found.end(), _VALUE.match(text, found.end()).end()  # type: ignore[union-attr]


def _is_secret(name: str) -> bool:
    plain = re.sub(r"[^a-z0-9]", "", unquote(name).lower())
    if plain in _PLAIN_NAMES or plain.startswith(_STARTS):
        return True
    plain = plain.removesuffix("s") if plain.endswith("tokens") else plain
    return "tokeniz" not in plain and any(word in plain for word in _WORDS)


def _replaced(text: str, places: Iterator[tuple[int, int]]) -> str:
    parts, last = [], 0
    for start, end in places:
        if start >= last and end > start:
            parts += [text[last:start], HIDDEN]
            last = end
    return "".join([*parts, text[last:]])
