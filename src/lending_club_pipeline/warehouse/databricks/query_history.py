"""The pipeline's statements and their cost, from the query history of the workspace.

The history is read over REST (https://docs.databricks.com/api/workspace/queryhistory/list), which
starts no SQL warehouse and keeps none awake.
"""

import datetime as dt
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lending_club_pipeline.config.databricks import DatabricksSettings
from lending_club_pipeline.config.environment import sheltering, temporary_environment
from lending_club_pipeline.contract.errors import WarehouseError
from lending_club_pipeline.secret_stores.reading import forget_secrets
from lending_club_pipeline.warehouse.databricks import errors
from lending_club_pipeline.warehouse.databricks.connections import (
    headers_of,
    is_ours,
    network_variables,
    with_secrets,
)

if TYPE_CHECKING:
    # An extra, needed in production only.
    from databricks.sdk.service.sql import QueryHistoryAPI, QueryInfo

# Statements that started within this time are counted.
WINDOW: Final = dt.timedelta(hours=24)
# A statement may be listed late. Ended statements that are older are not requested again.
_LATEST: Final = dt.timedelta(hours=1)
# The SDK says of metrics: "only use this for a small subset of queries (max_results)".
_ROWS_OF_A_PAGE: Final = 100
_REQUEST_SECONDS: Final = 30
_ENDED: Final = ("finished", "failed", "canceled")
# Query tags of dbt-databricks. The many tests share one value: each of them costs little.
_MODEL, _KIND, _TESTS = "@@dbt_model_name", "@@dbt_materialized", "test"


@dataclass(frozen=True)
class Statement:
    """A statement of this project.

    Attributes:
        started: when it was sent.
        work: the name of a dbt model, `dbt tests`, `run` (other statements of a run) or
            `outside runs`.
        status: `finished`, `failed`, `canceled` or `unfinished`.
        seconds: its duration so far.
        read_bytes: the data that it read, if known.
        written_bytes: the data that it wrote, if known.
    """

    started: dt.datetime
    work: str
    status: str
    seconds: float
    read_bytes: int | None
    written_bytes: int | None


@dataclass
class QueryHistory:
    """The statements of the last 24 hours.

    The first read requests the whole window, later reads only statements that may have changed: a
    backfill can send tens of thousands of statements in a day.

    Attributes:
        address: the SQL warehouse and the sign-in.
        environment: variables by which the client of a secret manager signs in.
        retry_seconds: how long a request is retried after status 429 or without an answer.
    """

    address: DatabricksSettings
    environment: Mapping[str, str] = field(repr=False)
    retry_seconds: int = 60
    _known: dict[str, Statement] = field(default_factory=dict, repr=False)
    _changing_since: dt.datetime | None = None

    def read(self, now: dt.datetime) -> list[Statement]:
        """Return the statements that started in the last 24 hours and that the principal may see.

        Args:
            now: the current time.

        Raises:
            SecretError: the secret for the sign-in cannot be read.
            WarehouseError: the history cannot be read; the text names a missing right.
        """
        oldest = now - WINDOW
        since = self._changing_since or oldest
        with temporary_environment(self.environment):
            address = with_secrets(self.address)
        try:
            with sheltering(network_variables(address)):
                # If a later page fails, the pages before it are kept.
                for id_, it in self._listed(address, max(since, oldest), now):
                    self._known[id_] = it
        except (OSError, ValueError) as error:
            # The secret may have been rotated: the next read gets it again.
            forget_secrets()
            raise _explained(error, address) from None
        self._known = {id_: it for id_, it in self._known.items() if it.started >= oldest}
        left = [it.started for it in self._known.values() if it.status not in _ENDED]
        self._changing_since = min([now - _LATEST, *left])
        return list(self._known.values())

    def _listed(
        self, address: DatabricksSettings, since: dt.datetime, until: dt.datetime
    ) -> Iterator[tuple[str, Statement]]:
        from databricks.sdk.service.sql import QueryFilter, TimeRange  # noqa: PLC0415 - an extra

        api = _api(address, self.retry_seconds)
        warehouse = _warehouse_id(address.http_path)
        asked = QueryFilter(
            query_start_time_range=TimeRange(
                start_time_ms=_milliseconds(since), end_time_ms=_milliseconds(until)
            ),
            warehouse_ids=[warehouse] if warehouse else None,
        )
        token: str | None = None
        while True:
            page = api.list(
                filter_by=asked,
                include_metrics=True,
                max_results=_ROWS_OF_A_PAGE,
                page_token=token,
            )
            for info in page.res or ():
                tags = {it.key: it.value or "" for it in info.query_tags or ()}
                if is_ours(tags):
                    yield str(info.query_id), _statement(info, tags)
            token = page.next_page_token
            if not page.has_next_page or not token:
                return


def _api(address: DatabricksSettings, retry_seconds: int) -> "QueryHistoryAPI":
    """Return the SDK's client of the query history; importing all its clients takes long."""
    from databricks.sdk.core import ApiClient, Config  # noqa: PLC0415 - an extra
    from databricks.sdk.credentials_provider import credentials_strategy  # noqa: PLC0415 - an extra
    from databricks.sdk.service.sql import QueryHistoryAPI  # noqa: PLC0415 - an extra

    # It warns about workspaces without host metadata, which is not needed here.
    logging.getLogger("databricks.sdk").setLevel(logging.CRITICAL)
    headers = headers_of(address)
    config = Config(
        host=f"https://{address.host}",
        credentials_strategy=credentials_strategy("lending-club", [])(lambda _: headers),
        retry_timeout_seconds=retry_seconds,
        http_timeout_seconds=_REQUEST_SECONDS,
    )
    return QueryHistoryAPI(ApiClient(config))


def _warehouse_id(http_path: str) -> str | None:
    """Return the id at the end of `/sql/1.0/warehouses/…`; None for the path of a cluster."""
    parts = http_path.partition("?")[0].rstrip("/").split("/")
    return parts[-1] if {"warehouses", "endpoints"} & set(parts[:-1]) else None


def _statement(info: "QueryInfo", tags: Mapping[str, str]) -> Statement:
    status = info.status.value.lower() if info.status else ""
    return Statement(
        dt.datetime.fromtimestamp((info.query_start_time_ms or 0) / 1000, dt.UTC),
        _work(tags),
        status if status in _ENDED else "unfinished",
        (info.duration or 0) / 1000,
        info.metrics.read_bytes if info.metrics else None,
        info.metrics.write_remote_bytes if info.metrics else None,
    )


def _work(tags: Mapping[str, str]) -> str:
    if tags.get(_KIND) == _TESTS:
        return "dbt tests"
    inside = "outside runs" if tags.get("run_id", "none") == "none" else "run"
    return tags.get(_MODEL) or inside


def _milliseconds(moment: dt.datetime) -> int:
    return round(moment.timestamp() * 1000)


def _explained(error: Exception, address: DatabricksSettings) -> WarehouseError:
    """Turn an error of the SDK into one with a remedy, without secrets."""
    on_the_way = errors.explained_on_the_way(error, address)
    if on_the_way is not None:
        return on_the_way
    what = type(error).__name__
    if errors.refuses_sign_in(error) or what == "Unauthenticated":
        return WarehouseError(
            f"{address}: the query history was not read, the sign-in was refused. Renew "
            "DATABRICKS_TOKEN (or the secret of DATABRICKS_CLIENT_ID)."
        )
    if what == "PermissionDenied":
        return WarehouseError(
            f"{address}: the query history was not read, a right is missing. Give the principal "
            "access to Databricks SQL (entitlement databricks-sql-access) and CAN USE, or to see "
            "statements of others CAN MONITOR, on this SQL warehouse."
        )
    return WarehouseError(
        f"{address}: the query history was not read ({what}). It is asked again later."
    )
