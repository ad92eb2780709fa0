"""Descriptions of the schema, by which tests compare two databases."""

from __future__ import annotations

from typing import Any, LiteralString

import psycopg

# Objects are compared by name, because their numbers differ. Partitions are compared without their
# comments, which are copies from the time of their creation.
_QUERIES: dict[str, LiteralString] = {
    "columns": """
        select c.relname, row_number() over (partition by c.oid order by a.attnum), a.attname,
               format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated::text,
               a.attidentity::text, a.attstorage::text, pg_get_expr(d.adbin, d.adrelid)
        from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
        where c.relnamespace = 'traffic'::regnamespace and c.relkind in ('r', 'p', 'v')
        order by 1, 2""",
    "constraints": """
        select c.conrelid::regclass::text, case when c.conparentid = 0 then c.conname end,
               pg_get_constraintdef(c.oid), c.convalidated
        from pg_constraint c
        where c.connamespace = 'traffic'::regnamespace
        order by 1, 2, 3""",
    "indexes": """
        select c.relname, pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisprimary, i.indisunique
        from pg_index i join pg_class c on c.oid = i.indrelid
        where c.relnamespace = 'traffic'::regnamespace
        order by 1, 2""",
    "functions": """
        select p.oid::regprocedure::text, pg_get_functiondef(p.oid),
               (select array_agg(a::text order by a::text) from unnest(
                   coalesce(p.proacl, acldefault('f', p.proowner))) a)
        from pg_proc p where p.pronamespace = 'traffic'::regnamespace
        order by 1""",
    "views": """
        select c.relname, pg_get_viewdef(c.oid)
        from pg_class c where c.relnamespace = 'traffic'::regnamespace and c.relkind = 'v'
        order by 1""",
    "tables": """
        select c.relname, c.relkind::text, c.reloptions, pg_get_partkeydef(c.oid),
               pg_get_expr(c.relpartbound, c.oid), c.relpersistence::text
        from pg_class c
        where c.relnamespace = 'traffic'::regnamespace and c.relkind in ('r', 'p', 'S')
        order by 1""",
    "grants": """
        select c.relname, (select array_agg(a::text order by a::text) from unnest(
                   coalesce(c.relacl, acldefault(
                       (case c.relkind when 'S' then 's' else 'r' end)::"char", c.relowner))) a)
        from pg_class c
        where c.relnamespace = 'traffic'::regnamespace and c.relkind in ('r', 'p', 'v', 'S')
        order by 1""",
    "grants on columns": """
        select a.attrelid::regclass::text, a.attname, a.attacl::text
        from pg_attribute a join pg_class c on c.oid = a.attrelid
        where c.relnamespace = 'traffic'::regnamespace and a.attacl is not null
        order by 1, 2""",
    "default privileges": """
        select defaclobjtype::text,
               (select array_agg(a::text order by a::text) from unnest(defaclacl) a)
        from pg_default_acl where defaclnamespace = 'traffic'::regnamespace
        order by 1""",
    "schema": """
        select (select array_agg(a::text order by a::text) from unnest(nspacl) a)
        from pg_namespace where nspname = 'traffic'""",
    "comments": """
        select c.relname, a.attname, d.description
        from pg_description d
        join pg_class c on c.oid = d.objoid and c.relnamespace = 'traffic'::regnamespace
        left join pg_attribute a on a.attrelid = c.oid and a.attnum = d.objsubid and a.attnum > 0
        where d.classoid = 'pg_class'::regclass and not c.relispartition
        order by 1, 2 nulls first""",
    "sequences": """
        select sequencename, data_type::text, start_value, min_value, max_value, increment_by, cycle
        from pg_sequences where schemaname = 'traffic'
        order by 1""",
}


def describe_schema(connection: psycopg.Connection[Any]) -> dict[str, list[tuple[Any, ...]]]:
    """Return the definitions of all objects of the schema `traffic`, by kind."""
    return {name: connection.execute(query).fetchall() for name, query in _QUERIES.items()}
