-- 64 MB let a parallel hash join of a million rows stay in memory, and cost a third less time than
-- 16 MB at 5 million (measured); 128 MB gain little more. Merge joins would sort tables on disk.
select set_config('work_mem', '64MB', true),
       set_config('enable_mergejoin', 'off', true),
       set_config('enable_partitionwise_join', 'on', true),
       set_config('enable_partitionwise_aggregate', 'on', true),
       set_config('statement_timeout', '0', true),
       set_config('idle_in_transaction_session_timeout', '0', true)
