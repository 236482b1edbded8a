"""An authentication for the package requests."""

from __future__ import annotations

import urllib.parse
from typing import TYPE_CHECKING, Any, Optional

from ._errors import TokenvendError

if TYPE_CHECKING:
    from ._client import Source
    from ._token import Token

    Origin = tuple[str, str, Optional[int]]


class Auth:
    """Puts the token on each request of the package requests, as its API expects it.

    A 401 is reported to tokenvend, and the request is sent once more with the
    token that comes back, if its body can be sent again. Without another token
    the 401 is the answer.
    """

    def __init__(self, source: "Source") -> None:
        self._source = source

    def __call__(self, request: Any) -> Any:
        token = self._source.token()
        request.url = token.authorize(request.url, request.headers)
        request.register_hook("response", _Hook(self._source, token, _origin(request.url)))
        return request


class _Hook:
    """Gets the answer to a request and to each redirect of it.

    requests passes it the answers one by one, each with an empty history. So it
    notes itself that a redirect has led to another origin. From then on, no
    answer is one to the token, and no token may be sent there.
    """

    def __init__(self, source: "Source", sent: "Token", origin: "Origin") -> None:
        self._source, self._sent, self._origin = source, sent, origin
        self._left = False

    def __call__(self, answer: Any, **options: Any) -> Any:
        sent = self._sent
        self._left = self._left or _origin(answer.request.url) != self._origin
        self._remove_header(answer, answer.request)
        body = answer.request.body
        if answer.status_code != 401 or not (body is None or isinstance(body, (bytes, str))):
            return answer
        # A redirect has led to a request without the token, or was answered already.
        if answer.history or self._left or not _carries(answer.request, sent):
            return answer
        try:
            token = self._source.reject(sent.fingerprint)
        except TokenvendError:
            return answer
        if token.fingerprint == sent.fingerprint:
            return answer
        answer.content  # lets the connection be used again
        answer.close()
        request = answer.request.copy()
        request.hooks = {"response": []}
        request.url = token.authorize(request.url, request.headers)
        again = answer.connection.send(request, **options)
        again.history.append(answer)
        again.request = request
        self._remove_header(again, answer.request)  # which a redirect copies
        return again

    def _remove_header(self, answer: Any, request: Any) -> None:
        """Removes the token's header field where a redirect leads to another origin.

        requests itself removes Authorization alone.
        """
        if not answer.is_redirect or self._sent.header in ("", "Authorization"):
            return
        try:
            leaves = _origin(_target(answer)) != self._origin
        except ValueError:  # no URL
            leaves = True
        if leaves:
            request.headers.pop(self._sent.header, None)


def _carries(request: Any, token: "Token") -> bool:
    """Reports whether a request has the token.

    For another host, requests may have replaced Authorization from ~/.netrc.
    """
    if token.header:
        return request.headers.get(token.header) == token.authorization
    pairs = urllib.parse.parse_qsl(urllib.parse.urlsplit(request.url).query)
    return (token.use.query, token.access_token) in pairs


def _target(answer: Any) -> str:
    """Returns the URL that a redirect leads to, "" where that is not certain."""
    location = answer.headers["location"]
    parts = urllib.parse.urlsplit(location)
    if not parts.netloc and parts.path.startswith("//"):
        return ""  # some versions of Python take ////host for a host (python/cpython#67693)
    return urllib.parse.urljoin(answer.url, location)


def _origin(url: str) -> "Origin":
    parts = urllib.parse.urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", port
