-- A week is compared in temporary tables of hundreds of megabytes; what is set lasts as long as the
-- connection. temp_buffers can be set before the first of them only.
select set_config('work_mem', '64MB', false), set_config('temp_buffers', '64MB', false)
