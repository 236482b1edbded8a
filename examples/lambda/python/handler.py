"""A Lambda function with the extension's layer: it calls an API with a token."""

import os
import urllib.request

AGENT = f"http://localhost:{os.environ.get('TOKENVEND_AGENT_PORT', '2774')}"
KEY = {"Tokenvend-Agent-Key": os.environ.get("AWS_SESSION_TOKEN") or os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]}


def get(url, headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=35) as answer:
        return answer.read().decode()


def handler(event, context):
    authorization = get(AGENT + "/authorization/minut", KEY)
    return get(os.environ["API_URL"], {"Authorization": authorization})
