"""Prints a token that Authlib gets from the agent's token endpoint, by its settings alone."""

import os

from authlib.integrations.requests_client import OAuth2Session

session = OAuth2Session(
    os.environ["CLIENT_ID"],
    os.environ["CLIENT_SECRET"],
    token_endpoint=os.environ["TOKEN_URL"],  # http://localhost:2774/oauth2/token
    grant_type="client_credentials",
)
print(session.fetch_token()["access_token"])
