"""dbt's tests of the data are checks that people read in Dagster."""

from lending_club_pipeline.dbt_runner.manifest import prepare_manifest
from lending_club_pipeline.warehouse import choose_warehouse
from tests.workspaces import Workspace


def test_every_dbt_data_test_reads_as_a_statement_and_says_what_it_means(
    workspace: Workspace,
) -> None:
    settings = workspace.settings()
    prepared = prepare_manifest(choose_warehouse(settings).dbt_environment(), settings.dbt_cache)
    tests = [it for it in prepared.content["nodes"].values() if it["resource_type"] == "test"]

    assert tests
    for test in tests:
        # dbt makes up a name that begins with that of the generic test.
        assert not test["name"].startswith(f"{test['test_metadata']['name']}_"), test["name"]
        assert test["config"]["meta"]["description"].strip(), test["name"]
        assert test["attached_node"], f"{test['name']} would be no asset check"
