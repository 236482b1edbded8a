"""The token of a credential."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any, Mapping

from ._errors import unavailable


@dataclass(frozen=True)
class Token:
    """A token. Its times are seconds since 1970, by this machine's clock.

    The token itself is left out where a Token is printed.
    """

    access_token: str = field(repr=False)
    token_type: str
    expires_at: float
    cache_until: float
    fingerprint: str
    scope: str = ""

    @property
    def authorization(self) -> str:
        """The value of an Authorization header."""
        return f"{self.token_type} {self.access_token}"


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
        )
    except (KeyError, TypeError, ValueError):
        raise unavailable("an answer that is not tokenvend's: is the URL right?") from None


def _seconds(text: str) -> float:
    # Before 3.11, fromisoformat knows neither Z nor fractions of any length.
    whole, _, fraction = text.rstrip("Z").partition(".")
    at = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc)
    return at.timestamp() + (float(f"0.{fraction}") if fraction else 0.0)
