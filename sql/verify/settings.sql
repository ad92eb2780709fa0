-- Hash joins in small pieces beat large ones here: 16 MB are half the time of 128 MB at 5 million
-- rows (measured), and the memory stays bounded. Partial merges would sort whole tables on disk.
select set_config('work_mem', '16MB', true),
       set_config('jit', 'off', true),
       set_config('enable_mergejoin', 'off', true),
       set_config('enable_partitionwise_join', 'on', true),
       set_config('enable_partitionwise_aggregate', 'on', true),
       set_config('statement_timeout', '0', true),
       set_config('idle_in_transaction_session_timeout', '0', true)
