-- Of these hashes, those of keys that hold now.
select hash, key_id, scopes from traffic.find_api_keys(%(hashes)s)
