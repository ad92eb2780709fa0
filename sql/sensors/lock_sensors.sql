-- Keeps the rows read unchanged until the commit: no other import runs, and no ingest run registers a
-- sensor that this import believes new. Readers and the foreign key's own locks are not blocked.
lock table traffic.sensors in share row exclusive mode
