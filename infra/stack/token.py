"""A token for the stack's API: `curl -H "Authorization: Bearer $(infra/local token)" …`; or for another's, whose key is given."""

import base64
import hashlib
import hmac
import json
import time

from .state import Stack

LIFETIME = 3600


def make(stack: Stack, scope: str, subject: str = "infra/local") -> str:
    """With the stack's own key."""
    from . import aws

    key = aws.client("secretsmanager", stack.aws_endpoint, stack.region).get_secret_value(SecretId=stack.jwt_secret)["SecretString"]
    return signed(key, scope, subject)


def signed(key: str, scope: str, subject: str) -> str:
    """A JSON Web Token (RFC 7519, HS256) that is good for an hour."""
    now = int(time.time())
    claims = {"sub": subject, "scope": scope, "iat": now, "nbf": now - 5, "exp": now + LIFETIME}
    body = ".".join(_part(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{body}.{_part(hmac.new(key.encode(), body.encode(), hashlib.sha256).digest())}"


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
