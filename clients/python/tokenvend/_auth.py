"""An authentication for the package requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._errors import TokenvendError

if TYPE_CHECKING:
    from ._client import Source


class Auth:
    """Sets the Authorization header of each request of the package requests.

    A 401 is reported to tokenvend, and the request is sent once more with the
    token that comes back, if its body can be sent again. Without another token
    the 401 is the answer.
    """

    def __init__(self, source: "Source") -> None:
        self._source = source

    def __call__(self, request: Any) -> Any:
        token = self._source.token()
        request.headers["Authorization"] = token.authorization
        body = request.body
        if body is None or isinstance(body, (bytes, str)):
            request.register_hook("response", lambda answer, **options: self._again(answer, token.fingerprint, options))
        return request

    def _again(self, answer: Any, fingerprint: str, options: Any) -> Any:
        # A redirect has led to a request without the header, or was answered already.
        sent = answer.request.headers.get("Authorization")
        if answer.status_code != 401 or sent is None or answer.history:
            return answer
        try:
            token = self._source.reject(fingerprint)
        except TokenvendError:
            return answer
        if token.fingerprint == fingerprint:
            return answer
        answer.content  # lets the connection be used again
        answer.close()
        request = answer.request.copy()
        request.hooks = {"response": []}
        request.headers["Authorization"] = token.authorization
        again = answer.connection.send(request, **options)
        again.history.append(answer)
        again.request = request
        return again
