"""Each rewrite of the stand-in: the statement before and after, and the page that it follows.

Pages are those of https://docs.databricks.com/sql/language-manual/.
"""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from databricks_stand_in.answers.comments import column_comment
from databricks_stand_in.commands import COMMANDS
from databricks_stand_in.errors import StatementError
from databricks_stand_in.lexing import tokens_of, unquoted, without_comments
from databricks_stand_in.rewriting import rewrite
from databricks_stand_in.sessions import parse_tags
from databricks_stand_in.statements import NATIVE, REFUSED

_RESCUED = "CAST(NULL AS STRING) AS _rescued_data"
_OPTIONS = "'recursiveFileLookup' = 'true', 'header' = 'true'"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # sql-ref-names: three parts name a table.
        ("select * from main.s.t", "select * from spark_catalog.s.t"),
        ("select * from `main`.`s`.`t` as x", "select * from spark_catalog.`s`.`t` as x"),
        ("select t.a from MAIN.s.t t", "select t.a from spark_catalog.s.t t"),
        ("insert into main.s.t select 1", "insert into spark_catalog.s.t select 1"),
        # A schema has two parts.
        ("create schema if not exists main.s", "create schema if not exists spark_catalog.s"),
        ("drop schema `main`.`s` cascade", "drop schema spark_catalog.`s` cascade"),
        ("show tables in main.s like 't*'", "show tables in spark_catalog.s like 't*'"),
        # What is no name of a catalog stays: texts, aliases, names in a schema.
        ("select 'main.s.t' as main", "select 'main.s.t' as main"),
        ("select main.a from s.t as main", "select main.a from s.t as main"),
        ("select * from s.main", "select * from s.main"),
        # sql-ref-syntax-ddl-alter-table: Spark renames within its catalog.
        ("alter table main.s.t rename to main.s.u", "alter table spark_catalog.s.t rename to s.u"),
        # functions/current_catalog
        ("select current_catalog() as c", "select 'main' as c"),
        ("select current_catalog ( )", "select 'main'"),
    ],
)
def test_names_of_unity_catalog_become_those_of_spark(before: str, after: str) -> None:
    assert rewrite(before, "main").text == after


@pytest.mark.parametrize(
    "statement",
    [
        "select * from other.s.t",
        "insert into other.s.t select 1",
        "select * from s.t join other.s.u",
        "select * from spark_catalog.s.t",
        "select * from s.t, other.s.u",
    ],
)
def test_another_catalog_is_an_error(statement: str) -> None:
    with pytest.raises(StatementError, match="NO_SUCH_CATALOG_EXCEPTION"):
        rewrite(statement, "main")


@pytest.mark.parametrize("prefix", ["system.", "`system`.", "main.", ""])
def test_the_information_schema_becomes_a_view_of_the_session(prefix: str) -> None:
    """sql-ref-information-schema"""
    done = rewrite(f"select 1 from {prefix}`information_schema`.tables t", "main")
    assert done.text == "select 1 from information_schema__tables t"
    assert done.information_schema == {"tables"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "select * from read_files('/Volumes/d', format=>'parquet',schemaEvolutionMode=>'none')",
            "select * from parquet.`/Volumes/d` WITH ('recursiveFileLookup' = 'true')",
        ),
        (
            "select * from READ_FILES('/Volumes/v', format => 'csv', header => true)",
            f"select * from (SELECT *, {_RESCUED} FROM csv.`/Volumes/v` WITH ({_OPTIONS}))",
        ),
    ],
)
def test_read_files_becomes_a_relation_of_files(before: str, after: str) -> None:
    """functions/read_files"""
    assert rewrite(before, "main").text == after


@pytest.mark.parametrize(
    "call",
    [
        "read_files('/Volumes/main/s/v')",
        "read_files(format => 'parquet')",
        "read_files('/Volumes/main/s/v', format => 'excel')",
        "read_files('/Volumes/main/s/v', format => 'parquet', schemaHints => 'a int')",
        "read_files('/Volumes/main/s/v' format => 'parquet')",
    ],
)
def test_read_files_that_is_not_understood_is_an_error(call: str) -> None:
    with pytest.raises(StatementError, match="PARSE_SYNTAX_ERROR"):
        rewrite(f"select * from {call}", "main")


def test_keys_are_taken_out_of_a_new_table() -> None:
    """sql-ref-syntax-ddl-create-table-constraint"""
    done = rewrite(
        "create or replace table main.s.t (a decimal(18, 2) not null, b map<int, string>,"
        " constraint `pk` primary key (a), foreign key (b) references main.s.u (c)) cluster by (a)",
        "main",
    )
    assert done.text == (
        "create or replace table spark_catalog.s.t (a decimal(18, 2) not null, b map<int, string>)"
        " cluster by (a)"
    )
    assert done.keys == [
        ("pk", "primary key (a)"),
        ("", "foreign key (b) references main.s.u (c)"),
    ]


def test_columns_of_a_query_are_no_columns_of_the_table() -> None:
    statement = "create table s.t as select coalesce(a, b) as primary_key from (select 1 a, 2 b)"
    done = rewrite(statement, "main")
    assert (done.text, done.keys) == (statement, [])


@pytest.mark.parametrize(
    ("name", "comment", "after"),
    [
        ("main.s.t.a", "'it''s'", "ALTER TABLE main.s.t ALTER COLUMN a COMMENT 'it''s'"),
        (
            "`main`.`s`.`t`.`a b`",
            "null",
            "ALTER TABLE `main`.`s`.`t` ALTER COLUMN `a b` COMMENT ''",
        ),
    ],
)
def test_a_comment_on_a_column_alters_it(name: str, comment: str, after: str) -> None:
    """sql-ref-syntax-ddl-comment"""
    assert column_comment(name, comment) == after


def _kind(statement: str) -> str:
    bare = without_comments(statement)
    for pattern, answer in COMMANDS:
        if pattern.fullmatch(bare):
            return answer.__name__
    return "spark" if NATIVE.match(bare) and not REFUSED.match(bare) else "error"


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ('/* {"app": "dbt"} */ -- note\n select 1;', "spark"),
        ("with a as (select 1) select * from a", "spark"),
        ("create or replace table main.s.t using delta as select 1 as a", "spark"),
        ("insert into t replace where a = 1 select 1", "spark"),
        ("use catalog `main`", "use_catalog"),
        ("use main.s", "use_schema"),
        ("show schemas in `main` like 's'", "show_schemas"),
        ("create volume if not exists main.s.v comment 'x'", "create_volume"),
        ("put '/tmp/a b.parquet' into '/Volumes/main/s/v/a.parquet' overwrite", "put"),
        ("grant select, modify on table main.s.t to `some readers`", "grant"),
        ("revoke all privileges on schema main.s from `x`", "grant"),
        ("show grants on main.s.t", "show_grants"),
        ("alter table main.s.t set tags ('a' = 'b')", "set_tags"),
        ("alter table main.s.t alter column c set tags ('a' = 'b')", "set_tags"),
        ("alter table main.s.t add constraint pk primary key (a) rely", "add_key"),
        ("alter table main.s.t add constraint c check (a > 0)", "spark"),
        ("alter table main.s.t change column a set not null", "set_not_null"),
        ("comment on column main.s.t.a is 'x'", "comment_on_column"),
        ("comment on table main.s.t is 'x'", "spark"),
        ("show table extended in main.s like 'a|b'", "show_table_extended"),
        ("describe table extended main.s.t as json", "describe_as_json"),
        ("copy into main.s.t from '/Volumes/main/s/v' fileformat = parquet", "copy_into"),
        ("set query_tags['run'] = '1'", "set_query_tag"),
        ("set timezone = 'UTC'", "set_parameter"),
        # Refused by Unity Catalog, or of no meaning here.
        ("create table main.s.t (a int) using parquet", "error"),
        ("create table main.s.t (a int) location 's3://x'", "error"),
        ("create schema main.s managed location 's3://x'", "error"),
        ("create streaming table main.s.t as select 1", "error"),
        ("create materialized view main.s.t as select 1", "error"),
        ("add jar 'x.jar'", "error"),
        ("cache table t", "error"),
        ("msck repair table t", "error"),
        ("", "error"),
    ],
)
def test_a_statement_is_answered_by_what_knows_it(statement: str, kind: str) -> None:
    assert _kind(statement) == kind


@given(st.text(alphabet="ab'\"`\\-*/ \n;()=.µ", max_size=60))
def test_tokens_joined_are_the_statement(statement: str) -> None:
    assert "".join(token.text for token in tokens_of(statement)) == statement


@pytest.mark.parametrize(
    ("statement", "bare"),
    [
        ("select 1 -- one\n;", "select 1"),
        ("select '--no', `/*no*/` /* yes */ from t", "select '--no', `/*no*/`   from t"),
        ("select /*+ broadcast(t) */ 1", "select /*+ broadcast(t) */ 1"),
        ("-- only\n", ""),
    ],
)
def test_comments_are_taken_out_and_texts_kept(statement: str, bare: str) -> None:
    assert without_comments(statement) == bare


@pytest.mark.parametrize(
    ("text", "says"),
    [("'it''s'", "it's"), (r"'it\'s'", "it's"), ("`a``b`", "a`b"), ("a", "a")],
)
def test_quotes_are_taken_off(text: str, says: str) -> None:
    assert unquoted(text) == says


def test_query_tags_are_read_as_the_connector_writes_them() -> None:
    assert parse_tags(r"run:a\:b\,c,flag,path:x\\y") == {"run": "a:b,c", "flag": "", "path": r"x\y"}


def test_every_command_starts_with_words_of_its_own() -> None:
    for pattern, answer in COMMANDS:
        assert re.match(r"\(?[?:()]*[A-Z]", pattern.pattern), answer.__name__
