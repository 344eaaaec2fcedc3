"""The profile's SQL warehouse, and a sign-in that uses only the profile."""

from collections.abc import Callable, Mapping
from typing import Any

from dbt.adapters.databricks.credentials import DatabricksCredentialManager, DatabricksCredentials

from lending_club_pipeline.warehouse.databricks.sign_in import (
    Headers,
    headers_by_principal,
    headers_by_token,
)

NAME = "lendingclubdatabricks"


class SignIn(DatabricksCredentialManager):
    """Sign-in without the SDK's configuration, which reads variables and files of other tools."""

    def __post_init__(self) -> None:
        """Prepare; nothing is sent before the first statement."""
        super().__post_init__()
        self._headers = (
            headers_by_token(self.token)
            if self.token
            else headers_by_principal(self.host, self.client_id, self.client_secret)
        )

    @property
    def header_factory(self) -> Callable[[], Headers]:
        """The function that gives the headers of a request."""
        return self._headers

    @property
    def config(self) -> Any:  # noqa: ANN401 - the SDK's class
        """Refuse: the SDK's configuration would sign in with another tool's settings.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("this project signs in without the SDK's configuration")

    @property
    def api_client(self) -> Any:  # noqa: ANN401 - the SDK's class
        """Refuse, like `config`: clusters, jobs and notebooks are not used here."""
        return self.config


class SignedInCredentials(DatabricksCredentials):
    """The profile's output of this type."""

    def __post_init__(self) -> None:
        """Read the profile; nothing is sent."""
        super().__post_init__()
        self._sign_in: SignIn | None = None

    @property
    def type(self) -> str:
        """The adapter's name in the profile."""
        return NAME

    def authenticate(self) -> SignIn:
        """Return the sign-in; all connections of a run share one short-lived token."""
        self.validate_creds()
        if self._sign_in is None:
            self._sign_in = SignIn(
                host=self.host or "",
                client_id=self.client_id or "",
                client_secret=self.client_secret or "",
                token=self.token,
            )
        return self._sign_in

    @classmethod
    def get_invocation_env(cls) -> None:
        """Add nothing to the user agent, and ignore the environment."""

    @classmethod
    def get_all_http_headers(cls, user_http_session_headers: Mapping[str, str]) -> dict[str, str]:
        """Send only the profile's headers, and ignore the environment."""
        return dict(user_http_session_headers)
