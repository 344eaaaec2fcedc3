"""The nodes of the dbt project as assets and checks."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg

from lending_club_pipeline.dbt_runner.evidence import (
    expected_nodes,
    is_blocking_test,
    nodes_of_build,
)
from lending_club_pipeline.dbt_runner.invocation import MONTH_END
from lending_club_pipeline.dbt_runner.manifest import PreparedManifest
from lending_club_pipeline.defs.dbt.specs import translate


@dataclass(frozen=True)
class DbtGraph:
    """The nodes of a manifest as assets and checks.

    Attributes:
        prepared: the parsed project.
        is_month_end: whether it has the nodes that are made once a month, or all others.
    """

    prepared: PreparedManifest
    is_month_end: bool = False

    @cached_property
    def _nodes(self) -> Mapping[str, Any]:
        nodes: Mapping[str, Any] = self.prepared.content["nodes"]
        return nodes

    @cached_property
    def specs(self) -> dict[str, dg.AssetSpec]:
        """Assets by dbt's unique id."""
        return {
            unique_id: spec
            for unique_id, spec in translate(self.prepared).items()
            if (MONTH_END in self._nodes[unique_id]["tags"]) == self.is_month_end
        }

    @cached_property
    def parents(self) -> dict[str, set[str]]:
        """Upstream nodes that are assets of this project, by unique id."""
        return {
            unique_id: set(self._nodes[unique_id]["depends_on"]["nodes"]) & self.specs.keys()
            if "nodes" in self._nodes[unique_id]["depends_on"]
            else set()
            for unique_id in self.specs
        }

    @cached_property
    def in_order(self) -> tuple[str, ...]:
        """Assets with every parent before its children."""
        return tuple(TopologicalSorter(self.parents).static_order())

    @cached_property
    def check_specs(self) -> dict[str, dg.AssetCheckSpec]:
        """Checks by dbt's unique id of the test."""
        tests = {
            unique_id: (node, self._tested(node))
            for unique_id, node in self._nodes.items()
            if node["resource_type"] == "test"
        }
        return {
            unique_id: dg.AssetCheckSpec(
                name=node["name"],
                asset=self.specs[tested].key,
                description=node["description"].strip(),
                blocking=is_blocking_test(node),
                metadata={"dbt_unique_id": unique_id},
            )
            for unique_id, (node, tested) in tests.items()
            if tested in self.specs
        }

    def _tested(self, test: Mapping[str, Any]) -> str | None:
        """Return the unique id of the node that a test checks.

        A singular test names it in `meta.dagster.ref`, as dagster-dbt expects.
        """
        attached: str | None = test.get("attached_node")
        if attached is not None:
            return attached
        name = test["config"].get("meta", {}).get("dagster", {}).get("ref", {}).get("name")
        among = test["depends_on"]["nodes"]
        return next((it for it in among if it in self._nodes and self.name_of(it) == name), None)

    @property
    def sources(self) -> list[str]:
        """Names of the relations that dbt reads but does not make."""
        return [source["name"] for source in self.prepared.content["sources"].values()]

    @cached_property
    def uncounted(self) -> frozenset[str]:
        """Relations whose rows are not counted after each run: expensive views."""
        return frozenset(
            node["name"]
            for node in self._nodes.values()
            if node["config"].get("meta", {}).get("is_costly_to_count")
        )

    def name_of(self, unique_id: str) -> str:
        """Return a node's name, which is also the name of its relation."""
        return str(self._nodes[unique_id]["name"])

    def title_of(self, unique_id: str) -> str:
        """Return the name of a node of any kind, for messages."""
        return str(self._nodes[unique_id]["name"]) if unique_id in self._nodes else unique_id

    def column_descriptions(self, unique_id: str) -> dict[str, str]:
        """Return the documented columns of a node."""
        columns = self._nodes[unique_id]["columns"]
        return {name: column["description"] for name, column in columns.items()}

    def is_ephemeral(self, unique_id: str) -> bool:
        """Whether a model has no relation."""
        return bool(self._nodes[unique_id]["config"].get("materialized") == "ephemeral")

    def selected(
        self, assets: AbstractSet[dg.AssetKey], checks: AbstractSet[dg.AssetCheckKey]
    ) -> list[str]:
        """Return the dbt selection for some assets and checks; empty for all of them.

        A model is built with all of its parents, because the base tables hold only the dates of the
        run that built them. A test is run with the seeds that it reads, because rates and reasons
        in the warehouse may be those of an older project.
        """
        # Seeds have no partitions: a backfill of days selects all other assets and means all.
        dated = {spec.key for it, spec in self.specs.items() if not it.startswith("seed.")}
        if assets >= dated:
            return []
        models = [f"+{self.name_of(it)}" for it, spec in self.specs.items() if spec.key in assets]
        tests = [self.name_of(it) for it, spec in self.check_specs.items() if spec.key in checks]
        return [*models, *tests, *self._seeds_of_tests([*models, *tests])]

    def _seeds_of_tests(self, select: Sequence[str]) -> list[str]:
        built = nodes_of_build(
            self.prepared.content, select, is_month_end=self.is_month_end, closes_months=True
        )
        read = {
            parent
            for unique_id in built
            if self._nodes[unique_id]["resource_type"] == "test"
            for parent in self._nodes[unique_id]["depends_on"]["nodes"]
        }
        return sorted(self.name_of(it) for it in read if it.startswith("seed."))

    def expected(self, select: Sequence[str] = ()) -> set[str]:
        """Return the nodes that must succeed in a build of a selection, by unique id."""
        return expected_nodes(self.prepared.content, select, is_month_end=self.is_month_end)

    def size(self, select: Sequence[str] = (), *, closes_months: bool = False) -> int:
        """Return how many nodes a build of a selection has."""
        return len(
            nodes_of_build(
                self.prepared.content,
                select,
                is_month_end=self.is_month_end,
                closes_months=closes_months or self.is_month_end,
            )
        )

    def partitioned(
        self,
        partitions: dg.PartitionsDefinition,
    ) -> list[dg.AssetSpec]:
        """Return the assets, with partitions if they depend on the business date."""
        return [
            spec
            if self._nodes[unique_id]["resource_type"] == "seed"
            else spec.replace_attributes(partitions_def=partitions)
            for unique_id, spec in self.specs.items()
        ]
