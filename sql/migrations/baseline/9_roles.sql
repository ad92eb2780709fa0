-- Least privilege: the owner migrates, traffic_ingest writes and traffic_read reads. A server that does
-- not let the owner create roles keeps working with the one role that it gave.
do $$
declare
    wanted text;
begin
    foreach wanted in array array['traffic_ingest', 'traffic_read'] loop
        if not exists (select 1 from pg_roles where rolname = wanted) then
            begin
                execute format('create role %I nologin', wanted);
            exception when insufficient_privilege then
                raise notice 'role % was not created: no privilege to create roles', wanted;
            end;
        end if;
    end loop;
    if exists (select 1 from pg_roles where rolname = 'traffic_read') then
        grant usage on schema traffic to traffic_read;
        grant select on all tables in schema traffic to traffic_read;
        revoke all on traffic.platform_keys, traffic.api_keys from traffic_read;
        grant execute on function traffic.find_api_keys(bytea[]) to traffic_read;
        alter default privileges in schema traffic grant select on tables to traffic_read;
    end if;
    if exists (select 1 from pg_roles where rolname = 'traffic_ingest') then
        grant usage on schema traffic to traffic_ingest;
        grant select, insert, update, delete on all tables in schema traffic to traffic_ingest;
        revoke insert, update, delete on traffic.platform, traffic.platform_keys from traffic_ingest;
        revoke all on traffic.api_keys from traffic_ingest;
        grant usage, select on all sequences in schema traffic to traffic_ingest;
        grant execute on function traffic.ensure_partition(text, date) to traffic_ingest;
        grant execute on function traffic.drop_partition(text, date, bigint) to traffic_ingest;
        alter default privileges in schema traffic
            grant select, insert, update, delete on tables to traffic_ingest;
        alter default privileges in schema traffic grant usage, select on sequences to traffic_ingest;
    end if;
end
$$;
