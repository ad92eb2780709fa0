-- For this session: a date's sorts and hashes stay in memory.
select set_config('work_mem', '64MB', false)
