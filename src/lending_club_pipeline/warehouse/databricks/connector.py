"""The SQL connector, without what it imports and this project never uses.

The connector imports pandas for turning results into rows; with `_disable_pandas` it does not use
it. pandas takes fifty megabytes and half a second in every process that imports the connector.
"""

import importlib
import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Final

_PANDAS: Final = "pandas"


class _Deferred(ModuleType):
    """Stands for a module until somebody asks for something in it."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the module holds
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


def import_connector() -> Any:  # noqa: ANN401 - an extra, which type checking does without
    """Import `databricks.sql`.

    pandas is imported when the connector first uses it, unless somebody imported it before. All
    others who import pandas get it as ever.

    Raises:
        ImportError: the connector is not installed.
    """
    deferred = _Deferred(_PANDAS)
    deferred.__spec__ = find_spec(_PANDAS)
    sys.modules.setdefault(_PANDAS, deferred)
    try:
        return _imported()
    finally:
        # Libraries look here for whether a value may be a data frame.
        if sys.modules.get(_PANDAS) is deferred:
            del sys.modules[_PANDAS]


def _imported() -> Any:  # noqa: ANN401 - see above
    # The package imports these two, which import pandas, when the first connection is made.
    for name in ("databricks.sql.client", "databricks.sql.result_set"):
        importlib.import_module(name)
    return importlib.import_module("databricks.sql")
