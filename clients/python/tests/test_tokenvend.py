"""Tests of the package, against a server in this process.

`make test-all` runs them, and test_real.py against the real tokenvend.
"""

import concurrent.futures
import http.server
import json
import os
import tempfile
import threading
import time
import traceback
import unittest
import unittest.mock

import requests

import tokenvend
from tokenvend._transport import default_transport


class Fake(tokenvend.Transport):
    """A tokenvend that makes up tokens."""

    def __init__(self, life=3600.0, early=600.0):
        self.life, self.early = life, early
        self.requests, self.delay, self.error = [], 0.0, None
        self.use, self.extra = {}, {}

    def send(self, credential, parameters):
        self.requests.append((credential, dict(parameters)))
        number = len(self.requests)
        time.sleep(self.delay)
        if self.error:
            raise self.error
        return {
            "access_token": f"token-{number}",
            "token_type": "Bearer",
            "expires_in": self.life,
            "expires_at": "2026-01-01T01:00:00Z",
            "cache_until": f"2026-01-01T00:{59 - int(self.early // 60):02d}:{59 - int(self.early % 60):02d}.999Z",
            "fingerprint": f"{number:016x}",
            "use": self.use,
            "extra": self.extra,
        }


def refusal(code, status, retry_after=0.0):
    return tokenvend.TokenvendError(code, "said so", status, retry_after)


class SourceTest(unittest.TestCase):
    def test_a_token_is_kept(self):
        fake = Fake()
        source = tokenvend.Client(fake).source("minut")
        self.assertEqual([source.token().access_token for _ in range(3)], ["token-1"] * 3)
        self.assertEqual(source.authorization(), "Bearer token-1")
        self.assertEqual(len(fake.requests), 1)

    def test_the_same_arguments_are_one_source(self):
        client = tokenvend.Client(Fake())
        self.assertIs(client.source("minut", scope="b a a"), client.source("minut", scope="a b"))
        self.assertIsNot(client.source("minut"), client.source("minut", account="alice"))

    def test_many_threads_are_one_request(self):
        fake = Fake()
        fake.delay = 0.2
        source = tokenvend.Client(fake).source("minut")
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            got = {future.result().access_token for future in [pool.submit(source.token) for _ in range(200)]}
        self.assertEqual((got, len(fake.requests)), ({"token-1"}, 1))

    def test_past_cache_until_no_call_waits(self):
        fake = Fake(life=60.0, early=59.0)
        source = tokenvend.Client(fake).source("minut")
        source.token()
        time.sleep(1.1)
        fake.delay = 0.5
        began = time.monotonic()
        self.assertEqual(source.token().access_token, "token-1")
        self.assertLess(time.monotonic() - began, 0.4)
        time.sleep(0.8)
        self.assertEqual(source.token().access_token, "token-2")

    def test_a_living_token_bridges_an_outage(self):
        fake = Fake(life=60.0, early=59.5)
        source = tokenvend.Client(fake).source("minut")
        source.token()
        fake.error = refusal("provider_unavailable", 503)
        time.sleep(1.1)
        for _ in range(3):
            self.assertEqual(source.token().access_token, "token-1")
            time.sleep(0.1)
        self.assertLessEqual(len(fake.requests), 3)

    def test_a_refusal_drops_the_token(self):
        fake = Fake(life=60.0, early=59.5)
        source = tokenvend.Client(fake).source("minut")
        source.token()
        fake.error = refusal("unknown_credential", 404)
        time.sleep(1.1)
        source.token()
        time.sleep(0.2)
        with self.assertRaises(tokenvend.TokenvendError) as caught:
            source.token()
        self.assertEqual((caught.exception.code, caught.exception.status), ("unknown_credential", 404))

    def test_the_end_of_a_token_is_not_used(self):
        fake = Fake(life=1.0, early=0.0)
        source = tokenvend.Client(fake).source("minut")
        source.token()
        time.sleep(1.0)
        self.assertEqual(source.token().access_token, "token-2")

    def test_a_refused_report_is_no_error_of_a_call(self):
        fake = Fake()
        fake.delay, fake.error = 0.3, refusal("too_many_reports", 429)
        source = tokenvend.Client(fake).source("minut")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            report = pool.submit(source.reject, "0" * 16)
            time.sleep(0.1)
            fake.send = lambda *_: Fake().send("minut", {})
            self.assertEqual(source.token().access_token, "token-1")
            self.assertEqual(report.exception().code, "too_many_reports")

    def test_a_report_is_sent_once(self):
        fake = Fake()
        source = tokenvend.Client(fake).source("minut")
        rejected = source.token().fingerprint
        fake.delay = 0.2
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            got = {future.result().access_token for future in [pool.submit(source.reject, rejected) for _ in range(10)]}
        self.assertEqual(got, {"token-2"})
        self.assertEqual([parameters for _, parameters in fake.requests], [{}, {"rejected": rejected}])
        self.assertEqual(source.token().access_token, "token-2")

    def test_a_refused_report_is_not_repeated(self):
        fake = Fake()
        source = tokenvend.Client(fake).source("minut")
        token = source.token()
        fake.error = refusal("too_many_reports", 429, 20.0)
        for _ in range(3):
            with self.assertRaises(tokenvend.TokenvendError):
                source.reject(token.fingerprint)
        self.assertEqual(len(fake.requests), 2)
        self.assertEqual(source.token(), token)

    def test_a_refusal_that_is_raised_again_keeps_no_frames(self):
        fake = Fake()
        source = tokenvend.Client(fake).source("minut")
        first = source.token()
        fake.error = refusal("too_many_reports", 429, 30.0)
        frames = 0
        for _ in range(50):
            try:
                source.reject(first.fingerprint)
            except tokenvend.TokenvendError as error:
                frames = len(traceback.extract_tb(error.__traceback__))
        self.assertTrue(0 < frames < 10, frames)

    def test_without_another_thread_the_token_at_hand_is_used(self):
        source = tokenvend.Client(Fake(early=3599.0)).source("minut")
        source.token()
        time.sleep(1.1)
        with unittest.mock.patch("threading.Thread.start", side_effect=RuntimeError("can't start new thread")):
            self.assertEqual(source.token().access_token, "token-1")
            with self.assertRaises(tokenvend.TokenvendError):
                tokenvend.Client(Fake()).source("minut").token()

    def test_a_thread_that_did_not_start_is_not_waited_for(self):
        source = tokenvend.Client(Fake()).source("minut")
        with unittest.mock.patch("threading.Thread.start", side_effect=RuntimeError("can't start new thread")):
            with self.assertRaises(tokenvend.TokenvendError):
                source.token()
        began = time.monotonic()
        self.assertEqual(source.token().access_token, "token-1")
        self.assertLess(time.monotonic() - began, 10)

    def test_a_token_is_not_printed(self):
        token = tokenvend.Client(Fake()).source("minut").token()
        self.assertNotIn("token-1", repr(token) + str(token))

    def test_parameters(self):
        fake = Fake()
        tokenvend.Client(fake).source("minut", scope="b a", audience="x", account="alice", min_ttl=60).token()
        self.assertEqual(
            fake.requests, [("minut", {"scope": "a b", "audience": "x", "account": "alice", "min_ttl": "60"})]
        )


    def test_a_request_carries_the_token_as_its_api_expects_it(self):
        for use, url, header, want in (
            ({}, "http://h/?a=b", ("Authorization", "Bearer token-1"), "http://h/?a=b"),
            ({"header": "X-Token"}, "http://h/", ("X-Token", "token-1"), "http://h/"),
            ({"header": "Authorization", "prefix": "Zoho "}, "http://h/", ("Authorization", "Zoho token-1"), "http://h/"),
            ({"query": "key"}, "http://h/?key=old&a=%7E#f", None, "http://h/?a=%7E&key=token-1#f"),
        ):
            fake, headers = Fake(), {}
            fake.use = use
            token = tokenvend.Client(fake).source("minut").token()
            self.assertEqual(token.authorize(url, headers), want)
            self.assertEqual(headers, dict([header]) if header else {})
            if not header:
                with self.assertRaises(tokenvend.TokenvendError):
                    token.authorization

    def test_extra_values_are_there_and_not_printed(self):
        fake = Fake()
        fake.extra = {"instance_url": "https://secret.test"}
        token = tokenvend.Client(fake).source("minut").token()
        self.assertEqual(token.extra["instance_url"], "https://secret.test")
        self.assertNotIn("secret.test", repr(token))


class API(http.server.BaseHTTPRequestHandler):
    """An API behind tokens: it takes the second token alone."""

    seen, paths = [], []

    def do_GET(self):
        token = self.headers.get("Authorization") or self.headers.get("X-Token")
        API.seen.append(token)
        API.paths.append(self.path)
        path, elsewhere = self.path.partition("?")[0], f"//localhost:{self.server.server_port}/elsewhere"
        if path == "/away" or path == "/away-second" and token == "token-2":
            self.send_response(302)
            self.send_header("Location", "http:" + elsewhere)
        elif path == "/away-slashes":
            self.send_response(302)
            self.send_header("Location", "//" + elsewhere)
        elif path == "/near":
            self.send_response(302)
            self.send_header("Location", "/there")
        else:
            self.send_response(200 if token == "Bearer token-2" else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *_):
        pass


class AuthTest(unittest.TestCase):
    def setUp(self):
        API.seen, API.paths = [], []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), API)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def test_a_401_is_reported_and_sent_again(self):
        fake = Fake()
        source = tokenvend.Client(fake).source("minut")
        for method, body in (("GET", None), ("POST", b"x")):
            answer = requests.request(method, self.url, data=body, auth=source.auth(), timeout=10)
            self.assertEqual(answer.status_code, 200)
        self.assertEqual(API.seen, ["Bearer token-1", "Bearer token-2", "Bearer token-2"])
        self.assertEqual(len(fake.requests), 2)

    def test_without_another_token_the_401_is_the_answer(self):
        fake = Fake()
        source = tokenvend.Client(fake).source("minut")
        source.token()
        fake.error = refusal("too_many_reports", 429)
        self.assertEqual(requests.get(self.url, auth=source.auth(), timeout=10).status_code, 401)

    def test_a_redirect_to_another_host_goes_without_the_token(self):
        source = tokenvend.Client(Fake()).source("minut")
        requests.get(self.url + "/away", auth=source.auth(), timeout=10)
        self.assertEqual(API.seen, ["Bearer token-1", None])


    def test_a_redirect_to_another_host_goes_without_another_header(self):
        fake = Fake()
        fake.use = {"header": "X-Token"}
        requests.get(self.url + "/away", auth=tokenvend.Client(fake).source("minut").auth(), timeout=10)
        self.assertEqual(API.seen, ["token-1", None])

    def test_a_redirect_with_four_slashes_goes_without_another_header(self):
        fake = Fake()
        fake.use = {"header": "X-Token"}
        requests.get(self.url + "/away-slashes", auth=tokenvend.Client(fake).source("minut").auth(), timeout=10)
        self.assertEqual(API.seen[0], "token-1")
        self.assertNotIn("token-1", API.seen[1:])

    def test_a_redirect_after_a_401_goes_without_another_header(self):
        fake = Fake()
        fake.use = {"header": "X-Token"}
        requests.get(self.url + "/away-second", auth=tokenvend.Client(fake).source("minut").auth(), timeout=10)
        self.assertEqual(API.seen, ["token-1", "token-2", None])

    def test_a_401_of_another_host_is_not_answered_with_a_token_in_the_url(self):
        fake = Fake()
        fake.use = {"query": "key"}
        answer = requests.get(self.url + "/away", auth=tokenvend.Client(fake).source("minut").auth(), timeout=10)
        self.assertEqual((answer.status_code, API.paths), (401, ["/away?key=token-1", "/elsewhere"]))
        self.assertEqual(len(fake.requests), 1)

    def test_a_401_of_another_host_in_netrc_is_not_answered_with_a_token(self):
        with tempfile.NamedTemporaryFile("w") as netrc:
            netrc.write("default login u password p")
            netrc.flush()
            with unittest.mock.patch.dict(os.environ, NETRC=netrc.name):
                fake = Fake()
                auth = tokenvend.Client(fake).source("minut").auth()
                requests.get(self.url + "/away", auth=auth, timeout=10)
        self.assertEqual(API.seen, ["Bearer token-1", "Basic dTpw"])
        self.assertEqual(len(fake.requests), 1)

    def test_a_401_after_a_redirect_to_the_same_host_is_reported(self):
        auth = tokenvend.Client(Fake()).source("minut").auth()
        self.assertEqual(requests.get(self.url + "/near", auth=auth, timeout=10).status_code, 200)
        self.assertEqual(API.seen, ["Bearer token-1", "Bearer token-1", "Bearer token-2"])

    def test_a_401_to_a_token_in_the_url_is_reported(self):
        fake = Fake()
        fake.use = {"query": "key"}
        requests.get(self.url + "/?a=b%20c", auth=tokenvend.Client(fake).source("minut").auth(), timeout=10)
        self.assertEqual(API.paths, ["/?a=b%20c&key=token-1", "/?a=b%20c&key=token-2"])

    def test_a_401_to_another_header_is_reported(self):
        fake = Fake()
        fake.use = {"header": "X-Token"}
        requests.get(self.url, auth=tokenvend.Client(fake).source("minut").auth(), timeout=10)
        self.assertEqual(API.seen, ["token-1", "token-2"])


class TransportTest(unittest.TestCase):
    def test_the_environment_names_the_transport(self):
        with tempfile.TemporaryDirectory() as home:
            missing = {"TOKENVEND_AGENT_KEY_FILE": os.path.join(home, "none")}
            for environ, kind in (
                ({"TOKENVEND_AGENT_SOCKET": "/run/s", "TOKENVEND_URL": "https://a"}, tokenvend.AgentTransport),
                ({"TOKENVEND_AGENT_URL": "http://localhost:1", "TOKENVEND_URL": "https://a"}, tokenvend.AgentTransport),
                ({"TOKENVEND_URL": "https://a"}, tokenvend.SignedTransport),
                ({"TOKENVEND_FUNCTION": "f:c-minut"}, tokenvend.InvokeTransport),
            ):
                self.assertIsInstance(default_transport({**missing, **environ}), kind)
            with self.assertRaises(tokenvend.TokenvendError):
                default_transport(missing)

    def test_plain_http_is_for_loopback(self):
        tokenvend.SignedTransport("http://127.0.0.1:3000")
        with self.assertRaises(tokenvend.TokenvendError):
            tokenvend.SignedTransport("http://tokenvend.example")

    def test_the_key_of_an_agent_stays_on_this_machine(self):
        tokenvend.AgentTransport("http://[::1]:2774")
        for url in ("http://agent.example:2774", "https://localhost:2774", "localhost:2774", "http://127.0.0.1.example"):
            with self.assertRaises(tokenvend.TokenvendError, msg=url):
                default_transport({"TOKENVEND_AGENT_URL": url})

    def test_no_answer_is_unavailable(self):
        with tempfile.NamedTemporaryFile() as key:
            key.write(b"key")
            key.flush()
            client = tokenvend.Client(tokenvend.AgentTransport("http://127.0.0.1:9", key_file=key.name))
            with self.assertRaises(tokenvend.TokenvendError) as caught:
                client.source("minut").token()
        self.assertEqual((caught.exception.code, caught.exception.is_passing), ("unavailable", True))

    def test_a_function_is_invoked(self):
        problem = {"code": "access_denied", "detail": "no", "status": 403}
        session = Lambda({"errorMessage": json.dumps(problem), "errorType": "x"}, failed=True)
        transport = tokenvend.InvokeTransport("vend:c-minut", session=session)
        with self.assertRaises(tokenvend.TokenvendError) as caught:
            transport.send("minut", {"min_ttl": "60"})
        self.assertEqual(caught.exception.code, "access_denied")
        self.assertEqual(session.invoked, [("vend:c-minut", {"credential": "minut", "min_ttl": 60})])

    def test_an_arn_names_the_region(self):
        session = Lambda(Fake().send("minut", {}))
        arn = "arn:aws:lambda:eu-north-1:123456789012:function:vend:c-minut"
        tokenvend.InvokeTransport(arn, session=session).send("minut", {})
        self.assertEqual((session.invoked[0][0], session.region), (arn, "eu-north-1"))


class Lambda:
    """A session and a client of botocore's that stand in for Lambda."""

    def __init__(self, answer, failed=False):
        self.answer, self.failed, self.invoked = answer, failed, []

    def create_client(self, _, region_name=None):
        self.region = region_name
        return self

    def invoke(self, FunctionName, Payload):
        self.invoked.append((FunctionName, json.loads(Payload)))
        body = tempfile.TemporaryFile()
        body.write(json.dumps(self.answer).encode())
        body.seek(0)
        return {"Payload": body, **({"FunctionError": "Unhandled"} if self.failed else {})}


if __name__ == "__main__":
    unittest.main()
