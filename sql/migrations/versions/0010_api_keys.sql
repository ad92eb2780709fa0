-- Keys of the API. A key itself is nowhere: it is random, and only its SHA-256 is kept.
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
-- A name leads to one key; it is free again when that is revoked.
create unique index on traffic.api_keys (name) where revoked_at is null;

-- What the API needs to know of keys whose hashes it knows, and nothing of others: of those that hold
-- at this moment. The reading role sees no row of the table, hence security definer.
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

do $$
begin
    if exists (select 1 from pg_roles where rolname = 'traffic_read') then
        revoke all on traffic.api_keys from traffic_read;
        grant execute on function traffic.find_api_keys(bytea[]) to traffic_read;
    end if;
    if exists (select 1 from pg_roles where rolname = 'traffic_ingest') then
        revoke all on traffic.api_keys from traffic_ingest;
    end if;
end
$$;
