"""Who a client is: access tokens, and OAuth for one service principal as far as clients ask."""

import base64
import secrets
import threading
import time
import urllib.parse
from typing import Final

# How each token begins that a secret was exchanged for, so that a test can look for all of them.
OAUTH_PREFIX: Final = "oauth-canary-"
_OAUTH_SECONDS: Final = 3600


class SignIn:
    """Tokens and their owners.

    Attributes:
        token: the first one, whose owner is `root`.
        client_id: the service principal.
        client_secret: its secret.
    """

    def __init__(self) -> None:
        self.token = f"dapi{secrets.token_hex(16)}"
        self.client_id = secrets.token_hex(8)
        self.client_secret = f"dose{secrets.token_hex(16)}"
        self._owners: dict[str, tuple[str, float]] = {self.token: ("root", float("inf"))}
        self._lock = threading.Lock()

    def issue(
        self, owner: str | None = None, seconds: float = float("inf"), prefix: str = "dapi"
    ) -> str:
        """Return a new token, of a new owner unless one is named."""
        token = f"{prefix}{secrets.token_hex(16)}"
        with self._lock:
            self._owners[token] = (owner or token[-12:], time.monotonic() + seconds)
        return token

    def owner_of(self, header: str | None) -> str | None:
        """Return whose token a header carries, or nothing if it is not valid."""
        token = (header or "").removeprefix("Bearer ")
        with self._lock:
            owner, until = self._owners.get(token, (None, 0.0))
        return owner if time.monotonic() < until else None

    def exchange(self, header: str | None, form: str) -> dict[str, object] | None:
        """Return a short-lived token for the principal's secret, or nothing if it is wrong."""
        fields = dict(urllib.parse.parse_qsl(form))
        given = (fields.get("client_id", ""), fields.get("client_secret", ""))
        if (header or "").startswith("Basic "):
            text = base64.b64decode(str(header)[6:]).decode()
            name, _, secret = text.partition(":")
            given = (urllib.parse.unquote(name), urllib.parse.unquote(secret))
        expected = (self.client_id, self.client_secret)
        if fields.get("grant_type") != "client_credentials" or given != expected:
            return None
        token = self.issue("principal", _OAUTH_SECONDS, OAUTH_PREFIX)
        return {"access_token": token, "token_type": "Bearer", "expires_in": _OAUTH_SECONDS}
