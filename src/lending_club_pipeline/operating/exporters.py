"""Export measurements: Prometheus scrapes them, OTLP over HTTP pushes them."""

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from lending_club_pipeline.config.environment import sheltering
from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.errors import ConfigurationError, ServiceError
from lending_club_pipeline.contract.extras import require_extra
from lending_club_pipeline.operating.measurements import (
    MEASUREMENTS,
    UNREADABLE,
    Measurement,
    Sample,
)
from lending_club_pipeline.secret_stores.reading import secret_value

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Observation
    from opentelemetry.sdk.metrics.export import MetricReader

Read = Callable[[], Sequence[Sample]]
# All instruments of one collection use the same read.
_KEPT_SECONDS: Final = 2.0


class Snapshot:
    """Reads samples at most every few seconds, for all instruments.

    Args:
        read: reads all samples; it may fail.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._samples: Sequence[Sample] = ()

    def of(self, measurement: Measurement) -> list[Sample]:
        """Return the samples of a measurement; only `UNREADABLE` has one if the read failed."""
        with self._lock:
            if time.monotonic() - self._read_at > _KEPT_SECONDS:
                self._samples = self._read_now()
                self._read_at = time.monotonic()
            return [it for it in self._samples if it.measurement is measurement]

    def _read_now(self) -> Sequence[Sample]:
        try:
            return [*self._read(), Sample(UNREADABLE, 0)]
        except Exception as error:  # noqa: BLE001 - whatever it is, the next read may succeed
            # The text of a library's error may hold an address with a password.
            print(  # noqa: T201 - the log of this process
                f"Dagster's storage could not be read: {type(error).__name__}", file=sys.stderr
            )
            return [Sample(UNREADABLE, 1)]


def parse_headers(text: str) -> dict[str, str]:
    """Parse the headers of each push, such as `api-key=…,other=…`.

    Raises:
        ConfigurationError: the form is wrong; the text does not repeat the value.
    """
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    if not all(name.strip() and sign for name, sign, _ in pairs):
        raise ConfigurationError("OTLP_HEADERS: write name=value, separated by commas.")
    return {name.strip(): value.strip() for name, _, value in pairs}


@contextmanager
def exporting(settings: DataPlatformConfig, read: Read) -> Iterator[None]:
    """Serve measurements to Prometheus while the body runs; push them if an endpoint is set.

    Args:
        settings: the project's settings.
        read: reads all samples.

    Raises:
        ConfigurationError: the extra `operating` is not installed, or headers are wrong.
        SecretError: the headers cannot be read from their secret manager.
        ServiceError: the port cannot be used.
    """
    given = settings.operating.otlp_headers
    # Read before the environment is emptied: clients of secret managers sign in by variables.
    headers = parse_headers("" if given is None else secret_value("OTLP_HEADERS", given))
    # OpenTelemetry reads dozens of variables; those of other tools must not change our export.
    with sheltering({}):
        yield from _exporting(settings, headers, Snapshot(read))


def _exporting(
    settings: DataPlatformConfig, headers: dict[str, str], snapshot: Snapshot
) -> Iterator[None]:
    require_extra("operating", "lending-club metrics")
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415 - of an extra
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - of an extra
    from prometheus_client import start_http_server  # noqa: PLC0415 - of an extra

    provider = MeterProvider(
        _readers(settings, headers), Resource.create({"service.name": "lending-club"})
    )
    meter = provider.get_meter("lending_club_pipeline")
    for it in MEASUREMENTS:
        meter.create_observable_gauge(it.name, [_callback(it, snapshot)], it.unit, it.meaning)
    host, port = settings.operating.metrics_host, settings.operating.metrics_port
    try:
        server, thread = start_http_server(port, host)
    except OSError as error:
        raise ServiceError(
            f"Port {port} of {host} cannot be used: {error.strerror}. Name another one by "
            "METRICS_PORT, or end the process that has it."
        ) from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        provider.shutdown()


def _readers(settings: DataPlatformConfig, headers: dict[str, str]) -> "list[MetricReader]":
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import (  # noqa: PLC0415 - of an extra
        OTLPMetricExporter,
    )
    from opentelemetry.exporter.prometheus import PrometheusMetricReader  # noqa: PLC0415 - of an extra
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415 - of an extra

    readers: list[MetricReader] = [
        PrometheusMetricReader(disable_target_info=True, scope_info_enabled=False)
    ]
    if settings.operating.otlp_endpoint is not None:
        exporter = OTLPMetricExporter(
            settings.operating.otlp_endpoint,
            certificate_file=_trusted_now(settings.operating.otlp_endpoint),
            headers=headers,
        )
        milliseconds = settings.operating.otlp_interval_seconds * 1000
        readers.append(PeriodicExportingMetricReader(exporter, milliseconds))
    return readers


def _trusted_now(url: str) -> str:
    """Return the trusted certificates; another thread changes the variable for Databricks."""
    import requests  # noqa: PLC0415 - of an extra

    asked = requests.Session().merge_environment_settings(url, {}, None, None, None)
    return (
        asked["verify"]
        if isinstance(asked["verify"], str)
        else requests.utils.DEFAULT_CA_BUNDLE_PATH
    )


def _callback(
    measurement: Measurement, snapshot: Snapshot
) -> "Callable[[CallbackOptions], Iterable[Observation]]":
    from opentelemetry.metrics import Observation  # noqa: PLC0415 - of an extra

    def observe(_: "CallbackOptions") -> "Iterable[Observation]":
        return [Observation(it.value, dict(it.labels)) for it in snapshot.of(measurement)]

    return observe
