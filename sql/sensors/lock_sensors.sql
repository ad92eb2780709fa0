-- What was read stays true until the commit: no other import, and no window registers a sensor
-- that this one believes new. Readers and the foreign key's own locks pass.
lock table traffic.sensors in share row exclusive mode
