-- Create a key; only its hash is stored.
insert into traffic.api_keys (name, hash, scopes, expires_at)
values (%(name)s, %(hash)s, %(scopes)s, %(expires_at)s)
returning key_id, name, scopes, created_at, expires_at, revoked_at
