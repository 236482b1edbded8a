"""Obtains tokens with OAuth libraries of Python, as standard input says.

Each line is a command in JSON. {"start": 1, "library": NAME, ...} makes client
1 as the documentation of that library does. {"call": 7, "client": 1} has it
obtain a token in a thread of its own, and prints {"call": 7, ...} in a line.
"""

import json
import os
import re
import sys
import threading
import time
import traceback

import authlib.integrations.requests_client as authlib
import msal
import requests
import requests_oauthlib
from authlib.integrations.base_client import OAuthError
from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error


class Authlib:
    """authlib.OAuth2Session keeps its token, and obtains the next."""

    def __init__(self, c):
        self.session = authlib.OAuth2Session(
            c["id"], c["secret"], token_endpoint=c["token_url"], grant_type="client_credentials",
            token_endpoint_auth_method="client_secret_basic" if c["basic"] else "client_secret_post",
            default_timeout=c["timeout"],
        )

    def token(self):
        if not self.session.token:
            self.session.fetch_token()
        elif not self.session.ensure_active_token():
            raise authlib.OAuthError("no active token")
        t = self.session.token
        return t.get("access_token", ""), t.get("token_type"), t.get("expires_at")


class RequestsOAuthlib:
    """requests_oauthlib.OAuth2Session keeps its token; its user obtains the next."""

    def __init__(self, c):
        self.c = c
        self.session = requests_oauthlib.OAuth2Session(client=BackendApplicationClient(client_id=c["id"]))

    def token(self):
        t = self.session.token
        if not t or t.get("expires_at", sys.maxsize) <= time.time():
            t = self.session.fetch_token(
                self.c["token_url"], client_id=self.c["id"], client_secret=self.c["secret"],
                include_client_id=not self.c["basic"], timeout=self.c["timeout"],
            )
        return t.get("access_token", ""), t.get("token_type"), t.get("expires_at")


class MSAL:
    """msal.ConfidentialClientApplication keeps its token, and obtains the next."""

    def __init__(self, c):
        self.c, self.lock, self.made = c, threading.Lock(), None

    def app(self):
        # It reads the authority's metadata when it is made.
        with self.lock:
            self.made = self.made or msal.ConfidentialClientApplication(
                self.c["id"], client_credential=self.c["secret"], oidc_authority=self.c["issuer"],
                timeout=self.c["timeout"],
            )
            return self.made

    def token(self):
        t = self.app().acquire_token_for_client(scopes=["torture"])
        if "access_token" not in t:
            raise Refused(t)
        left = t.get("expires_in")
        return t["access_token"], t.get("token_type"), None if left is None else time.time() + int(left)


class Refused(Exception):
    """What MSAL returns in the place of a token."""


def failure(e):
    """Returns what a program learns of an error: as it is logged, and its parts."""
    found = {"error": "".join(traceback.format_exception(e)), "timeout": isinstance(e, requests.Timeout)}
    if isinstance(e, (OAuthError, OAuth2Error)):
        found["code"] = e.error
    if isinstance(e, Refused):
        found["code"] = e.args[0].get("error")
    if isinstance(e, requests.HTTPError):
        found["status"] = e.response.status_code
    if named := re.fullmatch(r"HTTP Error: (\d+)", str(e)):  # of MSAL
        found["status"] = int(named[1])
    return found


clients, output = {}, threading.Lock()
libraries = {"Authlib": Authlib, "requests-oauthlib": RequestsOAuthlib, "MSAL": MSAL}


def call(c):
    try:
        access, kind, expires = clients[c["client"]].token()
        # A number that JavaScript has too; what is above it is as good as for ever.
        result = {"access": access, "kind": kind, "expires": None if expires is None else min(float(expires), 1e15)}
    except Exception as e:
        result = failure(e)
    with output:
        print(json.dumps({"call": c["call"], **result}), flush=True)


for line in sys.stdin:
    command = json.loads(line)
    if "start" in command:
        clients[command["start"]] = libraries[command["library"]](command)
    else:
        threading.Thread(target=call, args=[command], daemon=True).start()
os._exit(0)
