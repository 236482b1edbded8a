"""Tests against the real one-machine server and the real agent.

TOKENVEND_TEST_URL names the server, whose operator's key the environment has
as AWS credentials; TOKENVEND_TEST_AGENT and TOKENVEND_TEST_SOCKET the agent.
"""

import os
import unittest

import tokenvend


class RealTest(unittest.TestCase):
    def test_every_way_gives_the_same_token(self):
        signed = tokenvend.SignedTransport(os.environ["TOKENVEND_TEST_URL"])
        agent = tokenvend.AgentTransport(os.environ["TOKENVEND_TEST_AGENT"])
        sock = tokenvend.AgentTransport(socket_path=os.environ["TOKENVEND_TEST_SOCKET"])
        tokens = [tokenvend.Client(transport).source("minut").token() for transport in (signed, agent, sock)]
        self.assertEqual(len({token.access_token for token in tokens}), 1)
        for token in tokens:
            self.assertLess(token.cache_until, token.expires_at)
            self.assertTrue(token.authorization.startswith("Bearer "))

    def test_parameters_are_signed_and_sent(self):
        client = tokenvend.Client(tokenvend.SignedTransport(os.environ["TOKENVEND_TEST_URL"]))
        client.source("minut", min_ttl=60).token()
        with self.assertRaises(tokenvend.TokenvendError) as caught:
            client.source("minut", scope="not allowed").token()
        self.assertEqual(caught.exception.code, "access_denied")

    def test_a_report_of_a_young_token_is_refused(self):
        for transport in (
            tokenvend.SignedTransport(os.environ["TOKENVEND_TEST_URL"]),
            tokenvend.AgentTransport(os.environ["TOKENVEND_TEST_AGENT"]),
        ):
            source = tokenvend.Client(transport).source("monta")
            token = source.token()
            try:
                self.assertNotEqual(source.reject(token.fingerprint).fingerprint, token.fingerprint)
            except tokenvend.TokenvendError as error:
                self.assertEqual((error.code, error.status), ("too_many_reports", 429))

    def test_refusals_have_their_codes(self):
        for transport in (
            tokenvend.SignedTransport(os.environ["TOKENVEND_TEST_URL"]),
            tokenvend.AgentTransport(os.environ["TOKENVEND_TEST_AGENT"]),
        ):
            with self.assertRaises(tokenvend.TokenvendError) as caught:
                tokenvend.Client(transport).source("nosuch").token()
            self.assertEqual(caught.exception.code, "unknown_credential")


if __name__ == "__main__":
    unittest.main()
