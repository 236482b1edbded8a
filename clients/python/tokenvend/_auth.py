"""An authentication for the package requests."""

from __future__ import annotations

import urllib.parse
from typing import TYPE_CHECKING, Any

from ._errors import TokenvendError

if TYPE_CHECKING:
    from ._client import Source
    from ._token import Token


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
        request.register_hook("response", lambda answer, **options: self._answered(answer, token, options))
        return request

    def _answered(self, answer: Any, sent: "Token", options: Any) -> Any:
        if answer.is_redirect and sent.header not in ("", "Authorization"):
            # requests takes away no other header for another host
            target = urllib.parse.urljoin(answer.url, answer.headers["location"])
            if _origin(target) != _origin(answer.url):
                answer.request.headers.pop(sent.header, None)
        body = answer.request.body
        if answer.status_code != 401 or not (body is None or isinstance(body, (bytes, str))):
            return answer
        # A redirect has led to a request without the token, or was answered already.
        if answer.history or sent.header and sent.header not in answer.request.headers:
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
        return again


def _origin(url: str) -> tuple[str, str]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.netloc
