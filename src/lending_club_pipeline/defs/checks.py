"""Results of Dagster's checks, in the form that the warehouse keeps."""

import dagster as dg

from lending_club_pipeline.reconcile.checks import CheckResult


def key_of(result: dg.AssetCheckResult) -> dg.AssetCheckKey:
    """Return the key of a check that an asset has yielded.

    Raises:
        ValueError: the result does not name both asset and check.
    """
    if result.asset_key is None or result.check_name is None:
        raise ValueError("The result of a check names neither asset nor check.")
    return dg.AssetCheckKey(result.asset_key, result.check_name)


def check_result(result: dg.AssetCheckResult) -> CheckResult:
    """Return the result to keep of a check that an asset has yielded."""
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
