"""How requests reach tokenvend: by the agent, by its API, or by its function."""

from __future__ import annotations

import http.client
import ipaddress
import json
import os
import re
import socket
from typing import Any, Dict, Mapping, Optional, Protocol
from urllib.parse import quote, urlencode, urlsplit

from ._errors import TokenvendError, of_problem, unavailable

KEY_HEADER = "Tokenvend-Agent-Key"
DEFAULT_PORT = 2774
KEY_FILE = "~/.tokenvend-agent-key"
EXTENSION = "/opt/extensions/tokenvend-extension"
TIMEOUT = 30.0


class Transport(Protocol):
    """Carries a request to tokenvend."""

    def send(self, credential: str, parameters: Mapping[str, str]) -> Dict[str, Any]:
        """Returns the JSON of a token, or raises a TokenvendError."""
        ...


def default_transport(environ: Mapping[str, str]) -> Transport:
    """Returns the transport that the environment names.

    In this order: the agent at TOKENVEND_AGENT_SOCKET or TOKENVEND_AGENT_URL,
    the extension of this Lambda function, the API at TOKENVEND_URL, the
    function TOKENVEND_FUNCTION, and the agent of this user on this machine.
    """
    if environ.get("TOKENVEND_AGENT_SOCKET"):
        return AgentTransport(socket_path=environ["TOKENVEND_AGENT_SOCKET"])
    in_lambda = "AWS_LAMBDA_FUNCTION_NAME" in environ and os.path.exists(EXTENSION)
    key_file = os.path.expanduser(environ.get("TOKENVEND_AGENT_KEY_FILE", KEY_FILE))
    if environ.get("TOKENVEND_AGENT_URL") or in_lambda:
        url = environ.get("TOKENVEND_AGENT_URL")
        port = environ.get("TOKENVEND_AGENT_PORT", str(DEFAULT_PORT))
        key = environ.get("AWS_SESSION_TOKEN") or environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN")
        return AgentTransport(url or f"http://localhost:{port}", key=key if in_lambda else None, key_file=key_file)
    if environ.get("TOKENVEND_URL"):
        return SignedTransport(environ["TOKENVEND_URL"])
    if environ.get("TOKENVEND_FUNCTION"):
        return InvokeTransport(environ["TOKENVEND_FUNCTION"])
    if os.path.exists(key_file):
        return AgentTransport(f"http://localhost:{DEFAULT_PORT}", key_file=key_file)
    raise unavailable("no agent is here, and neither TOKENVEND_URL nor TOKENVEND_FUNCTION is set")


class AgentTransport:
    """Asks the agent on this machine, on loopback or on a unix socket.

    The key is read from its file for each request: it changes when the agent
    is started again.
    """

    def __init__(
        self,
        url: str = f"http://localhost:{DEFAULT_PORT}",
        *,
        key: Optional[str] = None,
        key_file: Optional[str] = None,
        socket_path: Optional[str] = None,
    ) -> None:
        parts = urlsplit(url)
        if not socket_path and (parts.scheme != "http" or not _is_loopback(parts.hostname or "")):
            raise unavailable("the agent's URL: expected http:// and a loopback host, as the key is sent there")
        self._host = parts.netloc
        self._key = key
        self._key_file = key_file
        self._socket_path = socket_path

    def send(self, credential: str, parameters: Mapping[str, str]) -> Dict[str, Any]:
        method, path, body = _message(credential, parameters)
        # A connection of its own: one that was kept may have ended while the
        # process was frozen.
        if self._socket_path:
            connection: http.client.HTTPConnection = _UnixConnection(self._socket_path)
        else:
            connection = http.client.HTTPConnection(self._host, timeout=TIMEOUT + 5)
        try:
            connection.request(method, path, body=body, headers=self._headers(body))
            answer = connection.getresponse()
            return _read(answer.status, answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise unavailable(f"no answer from the agent: {type(error).__name__}") from error
        finally:
            connection.close()

    def _headers(self, body: Optional[bytes]) -> Dict[str, str]:
        headers = {} if body is None else {"Content-Type": "application/json"}
        if self._socket_path:
            return headers
        headers[KEY_HEADER] = self._key or self._read_key()
        return headers

    def _read_key(self) -> str:
        path = self._key_file or os.path.expanduser(KEY_FILE)
        try:
            with open(path, encoding="ascii") as file:
                return file.read().strip()
        except OSError as error:
            raise unavailable(f"the agent's key cannot be read: {path}: {error.strerror}") from None


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=TIMEOUT + 5)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


_EXECUTE_API = re.compile(r"\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$")


class SignedTransport:
    """Asks tokenvend's API, with AWS Signature V4 by botocore's credentials."""

    def __init__(self, url: str, *, region: Optional[str] = None, session: Any = None) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
            raise unavailable("the API's URL: expected https (http for a loopback host only)")
        self._url = url.rstrip("/")
        self._host = parts.hostname or ""
        self._region = region
        self._session = session
        self._web: Any = None

    def send(self, credential: str, parameters: Mapping[str, str]) -> Dict[str, Any]:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError
        from botocore.httpsession import URLLib3Session

        method, path, body = _message(credential, parameters)
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            session = self._session = self._session or _botocore_session()
            credentials = session.get_credentials()
            if credentials is None:
                raise unavailable("there are no AWS credentials")
            self._web = self._web or URLLib3Session(timeout=TIMEOUT)
            request = AWSRequest(method, self._url + path, data=body or b"", headers=headers)
            SigV4Auth(credentials.get_frozen_credentials(), "execute-api", self._region_of(session)).add_auth(request)
            answer = self._web.send(request.prepare())
        except BotoCoreError as error:
            raise unavailable(f"no answer from {self._host}: {type(error).__name__}") from error
        return _read(answer.status_code, answer.content)

    def _region_of(self, session: Any) -> str:
        found = _EXECUTE_API.search(self._host)
        region = self._region or (found.group(1) if found else session.get_config_variable("region"))
        if not region:
            raise unavailable("the region is not set: name it in the AWS configuration or in AWS_REGION")
        return str(region)


class InvokeTransport:
    """Invokes tokenvend's vend function, by its name or ARN and an alias after a colon."""

    def __init__(self, function: str, *, session: Any = None) -> None:
        self._function = function
        self._session = session
        self._client: Any = None

    def send(self, credential: str, parameters: Mapping[str, str]) -> Dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError

        payload = json.dumps({"credential": credential, **_typed(parameters)})
        try:
            self._client = self._client or self._new_client()
            answer = self._client.invoke(FunctionName=self._function, Payload=payload.encode())
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            code = error.response.get("Error", {}).get("Code", "")
            raise TokenvendError("unavailable", f"Lambda refused the invocation: {code}", status) from None
        except BotoCoreError as error:
            raise unavailable(f"no answer from Lambda: {type(error).__name__}") from error
        body = _json(answer["Payload"].read())
        if "FunctionError" not in answer:
            return _object(body)
        problem = _json(body["errorMessage"]) if isinstance(body, dict) and "errorMessage" in body else None
        if not isinstance(problem, dict) or "code" not in problem:
            raise unavailable("the function ended without an answer; its log tells why")
        raise of_problem(int(problem.get("status", 500)), problem)

    def _new_client(self) -> Any:
        session = self._session or _botocore_session()
        arn = re.match("arn:[a-z-]+:lambda:([a-z0-9-]+):", self._function)
        return session.create_client("lambda", **({"region_name": arn.group(1)} if arn else {}))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # another name
        return False


def _botocore_session() -> Any:
    import botocore.session

    return botocore.session.get_session()


def _typed(parameters: Mapping[str, str]) -> Dict[str, Any]:
    return {name: int(value) if name == "min_ttl" else value for name, value in parameters.items()}


def _message(credential: str, parameters: Mapping[str, str]) -> "tuple[str, str, Optional[bytes]]":
    path = "/tokens/" + quote(credential, safe="")
    if "rejected" in parameters:
        return "POST", path, json.dumps(_typed(parameters)).encode()
    query = urlencode(sorted(parameters.items()), quote_via=quote)
    return "GET", path + ("?" + query if query else ""), None


def _read(status: int, text: bytes) -> Dict[str, Any]:
    body = _json(text)
    if status != 200:
        raise of_problem(status, body)
    return _object(body)


def _json(text: "bytes | str") -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _object(body: Any) -> Dict[str, Any]:
    if not isinstance(body, dict):
        raise unavailable("an answer that is not tokenvend's: is the URL right?")
    return body
