"""A server of the Python package Authlib.

It listens on the port of 127.0.0.1 that is the one argument. Its clients, and
the file that keeps its tokens, are JSON in the environment.
"""

import json
import os
import pickle
import sys
import threading
import time

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "true"

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector
from authlib.oauth2.rfc6749 import ClientMixin, TokenMixin, grants
from authlib.oauth2.rfc6750 import BearerTokenGenerator, BearerTokenValidator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.common.security import generate_token
from flask import Flask, jsonify, request

settings = json.loads(os.environ["TOKENVEND_TESTBED_PEER"])


class Client(ClientMixin):
    def __init__(self, id, secret, auth, seconds, redirect=""):
        self.id, self.secret, self.auth = id, secret, auth
        self.seconds, self.redirect = seconds, redirect

    def get_client_id(self):
        return self.id

    def get_default_redirect_uri(self):
        return self.redirect

    def get_allowed_scope(self, scope):
        return scope

    def check_redirect_uri(self, redirect_uri):
        return redirect_uri == self.redirect

    def check_client_secret(self, client_secret):
        return client_secret == self.secret

    def check_endpoint_auth_method(self, method, endpoint):
        return method == self.auth

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return bool(self.redirect) or grant_type == "client_credentials"


class Code:
    def __init__(self, **values):
        self.__dict__.update(values)

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope


class Token(TokenMixin):
    def __init__(self, client_id, user, values):
        self.client_id, self.user, self.values = client_id, user, values
        self.issued, self.revoked, self.refreshed = time.time(), False, False

    def check_client(self, client):
        return self.client_id == client.id

    def get_scope(self):
        return self.values.get("scope", "")

    def get_expires_in(self):
        return self.values["expires_in"]

    def is_expired(self):
        return self.issued + self.get_expires_in() < time.time()

    def is_revoked(self):
        return self.revoked

    def get_user(self):
        return self.user

    def get_client(self):
        return clients[self.client_id]


clients = {c["id"]: Client(**c) for c in settings["clients"]}
lock = threading.RLock()
codes, tokens = {}, []
try:
    with open(settings["state"], "rb") as file:
        tokens = pickle.load(file)
except FileNotFoundError:
    pass


def keep():
    with lock, open(settings["state"], "wb") as file:
        pickle.dump(tokens, file)


def find(name, value):
    with lock:
        return next((t for t in tokens if t.values.get(name) == value), None)


def save_token(values, req):
    with lock:
        tokens.append(Token(req.client.id, req.user, values))
        keep()


class AuthorizationCode(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]

    def save_authorization_code(self, code, req):
        data = req.payload.data
        codes[code] = Code(
            value=code, client_id=req.client.id, user=req.user, scope=req.payload.scope,
            redirect_uri=req.payload.redirect_uri, code_challenge=data.get("code_challenge"),
            code_challenge_method=data.get("code_challenge_method"),
        )

    def query_authorization_code(self, code, client):
        found = codes.get(code)
        return found if found and found.client_id == client.id else None

    def delete_authorization_code(self, authorization_code):
        del codes[authorization_code.value]

    def authenticate_user(self, authorization_code):
        return authorization_code.user


class RefreshToken(grants.RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token):
        found = find("refresh_token", refresh_token)
        return found if found and not found.revoked and not found.refreshed else None

    def authenticate_user(self, refresh_token):
        return refresh_token.user

    def revoke_old_credential(self, refresh_token):
        refresh_token.refreshed = True
        keep()


class ClientCredentials(grants.ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]


class Revocation(RevocationEndpoint):
    CLIENT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]

    def query_token(self, token_string, token_type_hint):
        return find("access_token", token_string) or find("refresh_token", token_string)

    def revoke_token(self, token, req):
        token.revoked = True
        keep()


class Validator(BearerTokenValidator):
    def authenticate_token(self, token_string):
        return find("access_token", token_string)


app = Flask(__name__)
server = AuthorizationServer(app, query_client=clients.get, save_token=save_token)
server.register_token_generator("default", BearerTokenGenerator(
    lambda **_: generate_token(42), lambda **_: generate_token(48), lambda client, grant_type: client.seconds,
))
server.register_grant(AuthorizationCode, [CodeChallenge(required=True)])
server.register_grant(RefreshToken)
server.register_grant(ClientCredentials)
server.register_endpoint(Revocation)
require_oauth = ResourceProtector()
require_oauth.register_token_validator(Validator())


@app.get("/authorize")
def authorize():
    with lock:
        grant = server.get_consent_grant(end_user="alice")
        return server.create_authorization_response(grant=grant, grant_user="alice")


@app.post("/token")
def token():
    with lock:
        return server.create_token_response()


@app.post("/revoke")
def revoke():
    with lock:
        return server.create_endpoint_response("revocation")


@app.get("/me")
@require_oauth()
def me():
    return jsonify(sub="alice")


app.run("127.0.0.1", int(sys.argv[1]), threaded=True)
