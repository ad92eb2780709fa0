-- Revoke the key with a number, or the unrevoked key with a name. A second call changes nothing.
update traffic.api_keys
set revoked_at = coalesce(revoked_at, statement_timestamp())
where key_id = %(key_id)s or (name = %(name)s and revoked_at is null)
returning key_id, name, scopes, created_at, expires_at, revoked_at
