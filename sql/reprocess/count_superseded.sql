-- New events that lost to a later new event of the same sensor and time with other measures.
select topic_no, partition, count(*)
from (
    select o.topic_no, o.partition,
           row(
               --| measures o.{m},
               o.quality_score, o.interval_s) as measures,
           first_value(row(
                           --| measures o.{m},
                           o.quality_score, o.interval_s))
               over latest as winner
    from pg_temp.event_changes c
    join pg_temp.rebuilt_outcomes o using (topic_no, partition, "offset", event_no)
    window latest as (
        partition by o.sensor_id, o."timestamp"
        order by o.broker_timestamp desc, o.topic_no desc, o.partition desc, o."offset" desc,
                 o.event_no desc
    )
) compared
where measures is distinct from winner
group by topic_no, partition
