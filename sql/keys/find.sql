-- The valid keys with these hashes.
select hash, key_id, scopes from traffic.find_api_keys(%(hashes)s)
