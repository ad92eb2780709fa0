-- For this session: a date's sorts and hashes stay in memory, and no statement is compiled.
select set_config('work_mem', '64MB', false), set_config('jit', 'off', false)
