"""The approvals of held deliveries, which people make by `lending-club approve`."""

from typing import Final

import dagster as dg

DELIVERY_APPROVALS: Final = dg.AssetSpec(
    "delivery_approvals",
    description=(
        "Who let a held delivery be published, when and why, by `lending-club approve`. Each is "
        "valid for exactly the files that it names by their SHA-256."
    ),
    group_name="raw",
    kinds={"table"},
    owners=["finance@lendingclub.example"],
)
