-- For this session: sorts and hashes of a date stay in memory.
select set_config('work_mem', '64MB', false)
