"""What the profile says of the SQL warehouse, and how to sign in with nothing but that."""

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
    """Signs in without the SDK's configuration, which reads variables and files of other tools."""

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
        """What gives the headers of a request."""
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
        """Refuse, as `config` does: clusters, jobs and notebooks have no use here."""
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
        """Return how to sign in; all connections of a run share one short-lived token."""
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
        """Add nothing to the user agent, whatever the environment says."""

    @classmethod
    def get_all_http_headers(cls, user_http_session_headers: Mapping[str, str]) -> dict[str, str]:
        """Send the profile's headers and no other, whatever the environment says."""
        return dict(user_http_session_headers)
