-- The comparison of a week needs temporary tables of hundreds of megabytes. The settings last as long as
-- the connection. temp_buffers can only be set before the first temporary table.
select set_config('work_mem', '64MB', false), set_config('temp_buffers', '64MB', false)
