"""The cross-database macros, each with the data of the public suite."""

import importlib
from typing import Final

_MACROS: Final = (
    *("any_value", "array_append", "array_concat", "array_construct", "bool_or", "cast"),
    *("cast_bool_to_text", "concat", "date", "date_spine", "date_trunc", "dateadd", "datediff"),
    *("except", "generate_series", "get_intervals_between", "get_powers_of_two", "hash"),
    *("intersect", "last_day", "length", "listagg", "position", "replace", "right", "safe_cast"),
    *("split_part", "string_literal"),
)

for _macro in _MACROS:
    _module = importlib.import_module(f"dbt.tests.adapter.utils.test_{_macro}")
    _base = next(
        value
        for name, value in vars(_module).items()
        if name.lower() == f"base{_macro.replace('_', '')}"
    )
    _test = f"Test{_base.__name__.removeprefix('Base')}"
    globals()[_test] = type(_test, (_base,), {"__module__": __name__})
