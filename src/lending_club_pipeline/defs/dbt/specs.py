"""Specs of the dbt project's assets from dagster-dbt, translated once per project.

Importing dagster-dbt takes 0.2 s and the translation another 0.1 s: more than all of our other
definitions. The result changes only with the project and with the code that translates it.
"""

import hashlib
import json
import sys
from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import dagster as dg

from lending_club_pipeline.contract.errors import TransformationError
from lending_club_pipeline.dbt_runner.manifest import PreparedManifest
from lending_club_pipeline.dbt_runner.subprocesses import call_in_subprocess

_ASSET_TYPES: Final = ("model", "seed", "snapshot")
_PLAIN: Final = ("description", "group_name", "code_version", "skippable")
# Objects for dagster-dbt's own command line, which is not used.
_NOT_KEPT: Final = {"dagster_dbt/manifest", "dagster_dbt/dagster_dbt_translator"}
_TRANSLATED_BY: Final = ("specs.py", "translator.py")


def translate(prepared: PreparedManifest) -> dict[str, dg.AssetSpec]:
    """Return the assets of a dbt project by dbt's unique id.

    Raises:
        TransformationError: the translation holds something that cannot be kept.
    """
    kept = prepared.cached(
        f"assets-{_translation()}",
        lambda: call_in_subprocess(__name__, {"manifest": str(prepared.manifest)}),
    )
    return {unique_id: _restored(it) for unique_id, it in kept.items()}


def _translation() -> str:
    """Return a text that changes when the translation of the same project would change."""
    digest = hashlib.sha256(f"{version('dagster')},{version('dagster-dbt')}".encode())
    for name in _TRANSLATED_BY:
        digest.update(files(__package__).joinpath(name).read_bytes())
    return digest.hexdigest()[:16]


def translated(manifest: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the assets as JSON values, by dbt's unique id.

    `translate` calls this in a subprocess, as importing dagster-dbt takes fifty megabytes.

    Args:
        manifest: the content of dbt's `manifest.json`.

    Raises:
        TransformationError: the translation holds something that cannot be kept.
    """
    from lending_club_pipeline.defs.dbt.translator import (  # noqa: PLC0415 - 0.2 s to import
        LendingClubDbtTranslator,
    )

    translator = LendingClubDbtTranslator()
    return {
        unique_id: _kept(translator.get_asset_spec(manifest, unique_id, None))
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] in _ASSET_TYPES
    }


def _kept(spec: dg.AssetSpec) -> dict[str, Any]:
    """Return a spec as a JSON value."""
    metadata = {name: value for name, value in spec.metadata.items() if name not in _NOT_KEPT}
    kept = {
        "key": list(spec.key.path),
        "deps": [list(dep.asset_key.path) for dep in spec.deps],
        "owners": list(spec.owners),
        "tags": dict(spec.tags),
        "metadata": dg.serialize_value(metadata),
        **{name: getattr(spec, name) for name in _PLAIN},
    }
    if _restored(kept) != spec.replace_attributes(metadata=metadata):
        raise TransformationError(
            f"The asset {spec.key.to_user_string()} has something that the prepared project does "
            "not keep. Keep it in defs/dbt/specs.py."
        )
    return kept


def _restored(kept: Mapping[str, Any]) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=kept["key"],
        deps=[dg.AssetDep(dg.AssetKey(path)) for path in kept["deps"]],
        owners=kept["owners"],
        tags=kept["tags"],
        metadata=dg.deserialize_value(kept["metadata"], dict),
        **{name: kept[name] for name in _PLAIN},
    )


if __name__ == "__main__":
    _manifest = json.loads(Path(json.load(sys.stdin)["manifest"]).read_bytes())
    json.dump(translated(_manifest), sys.stdout)
