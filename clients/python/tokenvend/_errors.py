"""Errors of calls."""

from __future__ import annotations

from typing import Any, Mapping, Optional


class TokenvendError(Exception):
    """No token was obtained.

    `code` is that of tokenvend's problem document, such as "access_denied", or
    "unavailable" where no answer came from tokenvend. No message quotes an
    answer, which may hold a token.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        status: Optional[int] = None,
        retry_after: float = 0.0,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.status = status
        self.retry_after = retry_after

    @property
    def is_passing(self) -> bool:
        """Whether the error says nothing against a token at hand."""
        return self.status is None or self.status == 429 or self.status >= 500


def unavailable(detail: str) -> TokenvendError:
    """Returns the error for an answer that did not come."""
    return TokenvendError("unavailable", detail)


def of_problem(status: int, problem: Any) -> TokenvendError:
    """Returns the error of an answer with a problem document, or without."""
    if not isinstance(problem, Mapping) or not isinstance(problem.get("code"), str):
        return TokenvendError("unavailable", f"HTTP status {status}, not tokenvend's answer", status)
    retry_after = problem.get("retry_after", 0)
    return TokenvendError(
        problem["code"],
        str(problem.get("detail", "")),
        status,
        float(retry_after) if isinstance(retry_after, (int, float)) else 0.0,
    )
