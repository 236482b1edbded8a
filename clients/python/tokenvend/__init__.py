"""Tokens from tokenvend, kept until their cache_until.

    import requests, tokenvend

    minut = tokenvend.Client().source("minut")
    requests.get("https://api.minut.com/v8/users/me", auth=minut.auth())
    minut.authorization()  # "Bearer ...", the value of an Authorization header

A client asks the agent beside it where there is one, and otherwise tokenvend
itself; see `Client`. Its only dependency is botocore, which signs requests.
"""

from ._auth import Auth
from ._client import Client, Source
from ._errors import TokenvendError
from ._token import Token, Use
from ._transport import AgentTransport, InvokeTransport, SignedTransport, Transport

__all__ = [
    "AgentTransport",
    "Auth",
    "Client",
    "InvokeTransport",
    "SignedTransport",
    "Source",
    "Token",
    "TokenvendError",
    "Transport",
    "Use",
]
