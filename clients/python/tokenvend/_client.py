"""The cache of tokens, by the rule of docs/guide/agent.md."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Dict, Mapping, Optional, Tuple

from ._auth import Auth
from ._errors import TokenvendError, unavailable
from ._token import Token, token_of
from ._transport import TIMEOUT, Transport, default_transport

# A token is not returned in the last tenth of its life, or the last 10 seconds
# where that is shorter.
_MAX_MARGIN = 10.0
# tokenvend is asked in the background at most this often, in seconds.
_MIN_PAUSE, _MAX_PAUSE = 1.0, 30.0
# A client keeps at most so many sources.
_MAX_SOURCES = 10_000


class Client:
    """Obtains and keeps tokens. It is made once and shared; threads may share it.

    Without a transport it takes the one that the environment names: the agent
    at TOKENVEND_AGENT_SOCKET or TOKENVEND_AGENT_URL, the extension of this
    Lambda function, the API at TOKENVEND_URL, the function TOKENVEND_FUNCTION,
    or the agent of this user on this machine.
    """

    def __init__(self, transport: Optional[Transport] = None) -> None:
        self._transport = transport or default_transport(os.environ)
        self._lock = threading.Lock()
        self._sources: Dict[Tuple[str, Tuple[Tuple[str, str], ...]], Source] = {}

    def source(
        self,
        credential: str,
        *,
        scope: str = "",
        audience: str = "",
        account: str = "",
        min_ttl: int = 0,
    ) -> "Source":
        """Returns the source of a credential's tokens.

        Calls with the same arguments return the same source. scope, separated
        by spaces, audience and account ask for others than the credential's
        own, min_ttl for a token that lives at least so many seconds.
        """
        given = {
            "scope": " ".join(sorted(set(scope.split()))),
            "audience": audience.strip(),
            "account": account.strip(),
            "min_ttl": str(min_ttl) if min_ttl > 0 else "",
        }
        parameters = {name: value for name, value in given.items() if value}
        key = (credential, tuple(sorted(parameters.items())))
        with self._lock:
            if key not in self._sources:
                if len(self._sources) >= _MAX_SOURCES:
                    del self._sources[next(iter(self._sources))]
                self._sources[key] = Source(self._transport, credential, parameters)
            return self._sources[key]


class _Held:
    """A token at hand. From ask_at on tokenvend is asked for another; from end on it is not returned."""

    def __init__(self, token: Token, min_ttl: float) -> None:
        now = time.time()
        margin = max(min(_MAX_MARGIN, (token.expires_at - now) / 10), min_ttl)
        self.token = token
        self.end = token.expires_at - margin
        self.ask_at = min(max(token.cache_until, now + _MIN_PAUSE), self.end)


class _Call:
    """A request that is under way."""

    def __init__(self, rejected: str) -> None:
        self.rejected = rejected
        self.began = time.time()
        self.process = os.getpid()
        self.result: "Future[Token]" = Future()

    def is_lost(self) -> bool:
        """Whether it was frozen with the process, or belongs to the process that this was forked from."""
        return self.process != os.getpid() or time.time() > self.began + TIMEOUT + 10


class _Refusal:
    """A report that was refused, and is not repeated for a time."""

    def __init__(self, fingerprint: str, error: TokenvendError) -> None:
        self._fingerprint = fingerprint
        self.error = error
        self._until = time.time() + min(max(error.retry_after, _MIN_PAUSE), _MAX_PAUSE)

    def holds(self, fingerprint: str) -> bool:
        """Whether a report of this token is not sent now."""
        return fingerprint == self._fingerprint and time.time() < self._until


class Source:
    """Where one credential's tokens come from. Threads may share it."""

    def __init__(self, transport: Transport, credential: str, parameters: Mapping[str, str]) -> None:
        self._transport = transport
        self._credential = credential
        self._parameters = dict(parameters)
        self._lock = threading.Lock()
        self._held: Optional[_Held] = None
        self._call: Optional[_Call] = None
        self._failures = 0
        self._refused: Optional[_Refusal] = None

    def token(self) -> Token:
        """Returns a token that is good now.

        It does not wait while one is at hand: past its cache_until, another is
        obtained in the background.
        """
        return self._token("")

    def reject(self, fingerprint: str) -> Token:
        """Reports that an API answered 401 to a token, and returns another one.

        Many reports of one token are sent once.
        """
        return self._token(fingerprint)

    def authorization(self) -> str:
        """Returns the value of an Authorization header."""
        return self.token().authorization

    def auth(self) -> Auth:
        """Returns an authentication for the package requests: `requests.get(url, auth=source.auth())`."""
        return Auth(self)

    def _token(self, rejected: str) -> Token:
        while True:
            with self._lock:
                held = self._usable(rejected)
                if held is not None:
                    return held
                if self._refused is not None and self._refused.holds(rejected):
                    # without the frames of those whom it was raised for before
                    raise self._refused.error.with_traceback(None)
                call = self._begin(rejected)
            try:
                token = call.result.result(TIMEOUT + 10)
            except FutureTimeout:
                raise unavailable("no answer from tokenvend in time") from None
            except Exception:
                if call.rejected == rejected:
                    raise
                continue  # it is the error of another question
            if call.rejected == rejected or token.fingerprint != rejected:
                return token

    def _usable(self, rejected: str) -> Optional[Token]:
        """Returns the token at hand if it will do, and has it replaced when it is time."""
        held, now = self._held, time.time()
        if held is None or now >= held.end or held.token.fingerprint == rejected:
            return None
        if now >= held.ask_at:
            held.ask_at = min(now + TIMEOUT, held.end)
            self._begin("")
        return held.token

    def _begin(self, rejected: str) -> _Call:
        """Returns the request that is under way, or starts one."""
        call = self._call
        if call is None or call.is_lost():
            call = self._call = _Call(rejected)
            try:
                threading.Thread(target=self._perform, args=(call,), daemon=True).start()
            except RuntimeError as error:  # there are too many threads, or the interpreter ends
                self._call = None
                call.result.set_exception(unavailable(f"no request can be started: {error}"))
        return call

    def _perform(self, call: _Call) -> None:
        parameters = dict(self._parameters)
        if call.rejected:
            parameters["rejected"] = call.rejected
        try:
            token = token_of(self._transport.send(self._credential, parameters), call.began)
        except BaseException as error:  # whatever it is, those who wait learn of it
            self._finish(call, None, error)
            call.result.set_exception(error)
            return
        self._finish(call, token, None)
        call.result.set_result(token)

    def _finish(self, call: _Call, token: Optional[Token], error: Optional[BaseException]) -> None:
        with self._lock:
            if self._call is not call:
                return
            self._call = None
            if token is not None:
                self._failures = 0
                self._held = _Held(token, float(self._parameters.get("min_ttl", 0)))
            elif not call.rejected:
                self._fail(error)
            elif isinstance(error, TokenvendError):
                self._refused = _Refusal(call.rejected, error)

    def _fail(self, error: Optional[BaseException]) -> None:
        """Decides what a failure means for the token at hand."""
        if self._held is None:
            return
        if isinstance(error, TokenvendError) and not error.is_passing:
            self._held = None
            return
        wait = error.retry_after if isinstance(error, TokenvendError) else 0.0
        pause = min(max(wait, _MIN_PAUSE * 2 ** min(self._failures, 5)), _MAX_PAUSE)
        self._failures += 1
        self._held.ask_at = min(time.time() + pause, self._held.end)
