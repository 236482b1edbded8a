"""Signs each request for the one-machine server, and names a credential and an account that there are."""

import hashlib
import hmac
import re
from datetime import datetime, timezone
from urllib.parse import parse_qsl, quote, urlsplit

import requests.auth
import schemathesis

KEY, SECRET = "local", "local"  # the demo's operator
SCOPE = "us-east-1/execute-api/aws4_request"
HEADERS = "host;x-amz-content-sha256;x-amz-date"

# What a request that is to be signed has in the header Authorization until then.
SIGNED = "to be signed"

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
CREDENTIAL = "trackmania"  # the demo's, whose provider has every operation
ACCOUNT = "alice"


def sha256(text):
    return hashlib.sha256(text).hexdigest()


class SigV4(requests.auth.AuthBase):
    """AWS Signature Version 4."""

    def __call__(self, request):
        stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        body = request.body or b""
        digest = sha256(body.encode() if isinstance(body, str) else body)
        scope = f"{stamp[:8]}/{SCOPE}"
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, sha256(self.canonical(request, digest, stamp).encode())])
        key = f"AWS4{SECRET}".encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), "sha256").digest()
        signature = hmac.new(key, text.encode(), "sha256").hexdigest()
        request.headers["x-amz-date"] = stamp
        request.headers["x-amz-content-sha256"] = digest
        request.headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={KEY}/{scope}, SignedHeaders={HEADERS}, Signature={signature}"
        return request

    @staticmethod
    def canonical(request, digest, stamp):
        """The canonical request."""
        url = urlsplit(request.url)
        pairs = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in parse_qsl(url.query, keep_blank_values=True))
        query = "&".join(f"{k}={v}" for k, v in pairs)
        headers = [f"host:{url.netloc}", f"x-amz-content-sha256:{digest}", f"x-amz-date:{stamp}", ""]
        return "\n".join([request.method, quote(url.path, safe="/-_.~"), query, *headers, HEADERS, digest])


@schemathesis.auth()
class Caller:
    def get(self, case, context):
        return SIGNED

    def set(self, case, data, context):
        case.headers = {**(case.headers or {}), "Authorization": data}


@schemathesis.hook
def before_call(context, case, kwargs):
    """Signs, unless the case has a header Authorization of its own, or none."""
    if (case.headers or {}).get("Authorization") == SIGNED:
        kwargs["auth"] = SigV4()


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Puts a credential that there is in the place of a valid name."""
    if path_parameters and NAME.fullmatch(str(path_parameters.get("credential", ""))):
        path_parameters["credential"] = CREDENTIAL
    return path_parameters


@schemathesis.hook
def map_query(context, query):
    """Names an account where users connect one: the demo's credential is not one user's."""
    if query and "redirect_uri" in query:
        query.setdefault("account", ACCOUNT)
    return query


@schemathesis.hook
def map_body(context, body):
    """The same in a body."""
    if isinstance(body, dict) and "code" in body:
        body.setdefault("account", ACCOUNT)
    return body
