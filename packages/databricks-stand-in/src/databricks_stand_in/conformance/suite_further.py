"""Further suites: snapshots, seeds, constraints, grants, comments, hooks, incremental models.

Each class of the public suite is taken as it is, under the name that it has there.
"""

import importlib
from typing import Final

_ADAPTER: Final = "dbt.tests.adapter"

_SUITES: Final = {
    "incremental.test_incremental_unique_id": ["BaseIncrementalUniqueKey"],
    "incremental.test_incremental_merge_exclude_columns": ["BaseMergeExcludeColumns"],
    "incremental.test_incremental_on_schema_change": ["BaseIncrementalOnSchemaChange"],
    "incremental.test_incremental_predicates": ["BaseIncrementalPredicates"],
    "incremental.test_incremental_microbatch": ["BaseMicrobatch"],
    "simple_snapshot.test_snapshot": ["BaseSimpleSnapshot", "BaseSnapshotCheck"],
    "simple_snapshot.new_record_timestamp_mode": ["BaseSnapshotNewRecordTimestampMode"],
    "simple_snapshot.test_various_configs": ["BaseSnapshotDbtValidToCurrent"],
    "simple_seed.test_seed": ["BaseBasicSeedTests", "BaseSeedConfigFullRefreshOn"],
    "persist_docs.test_persist_docs": ["BasePersistDocs", "BasePersistDocsColumnMissing"],
    "ephemeral.test_ephemeral": ["BaseEphemeralMulti", "BaseEphemeralErrorHandling"],
    "hooks.test_model_hooks": ["BaseDuplicateHooksInConfigs"],
    "caching.test_caching": ["BaseCachingLowercaseModel", "BaseCachingSelectedSchemaOnly"],
    "column_types.test_column_types": ["BaseColumnTypes"],
    "constraints.test_constraints": [
        "BaseConstraintQuotedColumn",
        "BaseConstraintsRuntimeDdlEnforcement",
        "BaseModelConstraintsRuntimeEnforcement",
        "BaseTableConstraintsColumnsEqual",
        "BaseViewConstraintsColumnsEqual",
    ],
    "grants.test_model_grants": ["BaseModelGrants"],
    "grants.test_invalid_grants": ["BaseInvalidGrants"],
    "dbt_show.test_dbt_show": ["BaseShowLimit", "BaseShowSqlHeader"],
    "store_test_failures_tests.test_store_test_failures": ["BaseStoreTestFailures"],
    "unit_testing.test_case_insensitivity": ["BaseUnitTestCaseInsensivity"],
    "unit_testing.test_invalid_input": ["BaseUnitTestInvalidInput"],
    "empty.test_empty": ["BaseTestEmpty"],
}

for _module, _names in _SUITES.items():
    _found = importlib.import_module(f"{_ADAPTER}.{_module}")
    for _name in _names:
        _test = f"Test{_name.removeprefix('Base').removeprefix('Test')}"
        globals()[_test] = type(_test, (getattr(_found, _name),), {"__module__": __name__})
