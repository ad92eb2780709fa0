-- When the first and the last of the audit rows were committed, as their numbers go.
select (select coalesce(first_committed_at, committed_at)
        from traffic.micro_batches order by batch_id limit 1),
       (select committed_at from traffic.micro_batches order by batch_id desc limit 1)
