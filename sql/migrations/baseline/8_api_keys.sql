-- Keys of the API. The keys themselves are not stored: they are random, and only their SHA-256 is kept.
create table traffic.api_keys (
    key_id bigint generated always as identity primary key,
    name text not null check (name ~ '^[^[:cntrl:]]{1,100}$' and name !~ '^[0-9]+$'),
    hash bytea not null unique check (octet_length(hash) = 32),
    scopes text[] not null
        check (cardinality(scopes) > 0 and scopes <@ array['read', 'export', 'admin']),
    created_at timestamptz not null default now(),
    expires_at timestamptz check (expires_at > created_at),
    revoked_at timestamptz
);
-- A name belongs to one key. It is free again when that key is revoked.
create unique index on traffic.api_keys (name) where revoked_at is null;

-- The valid keys among some hashes, which is all that the API needs. The reading role sees no row of the
-- table, hence security definer.
create function traffic.find_api_keys(hashes bytea[])
returns table (hash bytea, key_id bigint, scopes text[])
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select k.hash, k.key_id, k.scopes
    from traffic.api_keys k
    where k.hash = any (hashes)
      and k.revoked_at is null
      and (k.expires_at is null or k.expires_at > statement_timestamp())
$$;
revoke execute on function traffic.find_api_keys(bytea[]) from public;
