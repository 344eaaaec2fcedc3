"""Sign-in by a token or as a service principal, only at the configured host.

The SDK would read variables and files of other tools (DATABRICKS_DISCOVERY_URL, a profile in
~/.databrickscfg, ARM_*, …). dbt-databricks would also send our secret to Azure. So neither of them
signs in here. The address is that of
https://docs.databricks.com/aws/en/dev-tools/auth/oauth-m2m, "manually generate access tokens".
"""

from collections.abc import Callable

Headers = dict[str, str]


def headers_by_token(token: str) -> Callable[[], Headers]:
    """Return a function that gives the headers of a request with a personal access token."""
    return lambda: {"Authorization": f"Bearer {token}"}


def headers_by_principal(host: str, client_id: str, client_secret: str) -> Callable[[], Headers]:
    """Return a function that gives the headers of a request of a service principal.

    Its short-lived token is fetched when it is first needed, and again before it expires.

    Args:
        host: host name of the workspace, perhaps with a port.
        client_id: application id of the service principal.
        client_secret: its OAuth secret, which is sent only to that host, by HTTPS.
    """
    from databricks.sdk.oauth import ClientCredentials  # noqa: PLC0415 - an extra

    source = ClientCredentials(
        client_id=client_id,
        client_secret=client_secret,
        token_url=f"https://{host}/oidc/v1/token",
        scopes="all-apis",
        use_header=True,
    )

    def headers() -> Headers:
        token = source.token()
        return {"Authorization": f"{token.token_type} {token.access_token}"}

    return headers
