"""Translation of a dbt node into an asset."""

from collections.abc import Mapping
from typing import Any, Final

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject

_KINDS: Final = {"seed": "seed", "view": "view", "table": "table", "incremental": "table"}


class LendingClubDbtTranslator(DagsterDbtTranslator):
    """dagster-dbt's translation, with two differences.

    Ephemeral models are assets too, so that the graph shows every layer. A description holds no
    SQL, because the asset's code reference shows it better.
    """

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetSpec:
        """Return the asset of a dbt node, with its direct parents as upstream assets."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        props = self.get_resource_props(manifest, unique_id)
        parents = props.get("depends_on", {}).get("nodes", [])
        keys = dict.fromkeys(
            self.get_asset_key(self.get_resource_props(manifest, parent)) for parent in parents
        )
        # Our adapter is dbt-databricks with our own sign-in.
        engine = manifest["metadata"]["adapter_type"].removeprefix("lendingclub")
        return spec.replace_attributes(
            deps=[dg.AssetDep(key) for key in keys],
            kinds={"dbt", engine, _kind(props)},
        )

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """Return the description in the project's YAML."""
        return str(dbt_resource_props.get("description") or dbt_resource_props["name"])


def _kind(props: Mapping[str, Any]) -> str:
    materialized = props.get("config", {}).get("materialized", props["resource_type"])
    return str(_KINDS.get(materialized, materialized))
