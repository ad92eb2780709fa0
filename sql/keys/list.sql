-- Every key that was ever created, without its hash.
select key_id, name, scopes, created_at, expires_at, revoked_at
from traffic.api_keys
order by key_id
