-- Commit times of the first and the last audit row, by batch number.
select (select coalesce(first_committed_at, committed_at)
        from traffic.micro_batches order by batch_id limit 1),
       (select committed_at from traffic.micro_batches order by batch_id desc limit 1)
