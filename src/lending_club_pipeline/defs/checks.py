"""Results of Dagster's checks as the warehouse keeps them."""

import dagster as dg

from lending_club_pipeline.reconcile.checks import CheckResult


def key_of(result: dg.AssetCheckResult) -> dg.AssetCheckKey:
    """Return the key of a check that an asset has yielded: it names both asset and check."""
    assert result.asset_key is not None and result.check_name is not None  # noqa: S101, PT018
    return dg.AssetCheckKey(result.asset_key, result.check_name)


def check_result(result: dg.AssetCheckResult) -> CheckResult:
    """Return what is kept of a check that an asset has yielded."""
    key = key_of(result)
    return CheckResult(
        name=key.name,
        asset=key.asset_key.to_user_string(),
        passed=result.passed,
        severity=result.severity.value.lower(),
        description=result.description or "",
        found=_found(result),
    )


def _found(result: dg.AssetCheckResult) -> int | None:
    rows = result.metadata.get("failing_rows") if result.metadata else None
    return rows.value if isinstance(rows, dg.IntMetadataValue) else None
