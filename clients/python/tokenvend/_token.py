"""The token of a credential."""

from __future__ import annotations

import datetime
import urllib.parse
from dataclasses import dataclass, field
from typing import Any, Mapping, MutableMapping

from ._errors import TokenvendError, unavailable


@dataclass(frozen=True)
class Use:
    """How the provider's API expects a token.

    It is in the header field `header` with `prefix` before it, or in the
    parameter `query` of the URL. All are empty where it is the usual
    Authorization header.
    """

    header: str = ""
    prefix: str = ""
    query: str = ""


@dataclass(frozen=True)
class Token:
    """A token. Its times are seconds since 1970, by this machine's clock.

    `extra` has further values that the provider gave with it, such as
    instance_url. The token itself and they are left out where a Token is
    printed.
    """

    access_token: str = field(repr=False)
    token_type: str
    expires_at: float
    cache_until: float
    fingerprint: str
    scope: str = ""
    use: Use = Use()
    extra: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)

    @property
    def header(self) -> str:
        """The name of the header field that carries the token; "" where the URL does."""
        return "" if self.use.query else self.use.header or "Authorization"

    @property
    def authorization(self) -> str:
        """The value of that header field."""
        if self.use.query:
            raise TokenvendError("invalid_request", f"the API expects the token in the parameter {self.use.query} of the URL")
        if self.use.header:
            return self.use.prefix + self.access_token
        return f"{self.token_type} {self.access_token}"

    def authorize(self, url: str, headers: MutableMapping[str, str]) -> str:
        """Puts the token into the headers of a request, or returns the URL with it."""
        if not self.use.query:
            headers[self.header] = self.authorization
            return url
        parts = urllib.parse.urlsplit(url)
        pairs = [pair for pair in parts.query.split("&") if pair and _name(pair) != self.use.query]
        pairs.append(urllib.parse.urlencode({self.use.query: self.access_token}))
        return urllib.parse.urlunsplit(parts._replace(query="&".join(pairs)))


def token_of(answer: Mapping[str, Any], began: float) -> Token:
    """Returns the token of an answer to a request that was sent at `began`.

    Its times count from what is left of it, so that a wrong clock here does no
    harm.
    """
    try:
        end = began + float(answer["expires_in"])
        early = _seconds(answer["expires_at"]) - _seconds(answer["cache_until"])
        return Token(
            access_token=str(answer["access_token"]),
            token_type=str(answer.get("token_type") or "Bearer"),
            expires_at=end,
            cache_until=end - max(early, 0.0),
            fingerprint=str(answer["fingerprint"]),
            scope=str(answer.get("scope") or ""),
            use=Use(**{name: str(value) for name, value in (answer.get("use") or {}).items() if name in _USES}),
            extra={str(name): str(value) for name, value in (answer.get("extra") or {}).items()},
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise unavailable("an answer that is not tokenvend's: is the URL right?") from None


_USES = ("header", "prefix", "query")


def _name(pair: str) -> str:
    return urllib.parse.unquote_plus(pair.partition("=")[0])


def _seconds(text: str) -> float:
    # Before 3.11, fromisoformat knows neither Z nor fractions of any length.
    whole, _, fraction = text.rstrip("Z").partition(".")
    at = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc)
    return at.timestamp() + (float(f"0.{fraction}") if fraction else 0.0)
