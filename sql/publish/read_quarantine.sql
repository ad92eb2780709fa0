-- Quarantined messages between some positions and the ledger's offsets. A budget of messages and bytes
-- limits all generations together, but at least one message is returned. The next message of a
-- generation beyond the budget has neither key nor value, and is marked in the last column.
with found as (
    select q.topic_no, q.partition, q."offset", q.event_no,
           coalesce(octet_length(q.key), 0) + coalesce(octet_length(q.value), 0) as bytes
    from unnest(%(topic_nos)s::smallint[], %(partitions)s::integer[], %(positions)s::bigint[],
                %(ends)s::bigint[]) as w (topic_no, partition, position, following)
    cross join lateral (
        select *
        from traffic.quarantined_events q
        where q.topic_no = w.topic_no and q.partition = w.partition
          and q."offset" >= w.position and q."offset" < w.following
        order by q."offset", q.event_no
        limit %(messages)s + 1
    ) q
), counted as (
    select topic_no, partition, "offset", event_no,
           row_number() over everything > 1
           and (row_number() over everything > %(messages)s
                or sum(bytes) over everything > %(payload)s) as beyond
    from found
    window everything as (order by topic_no, partition, "offset", event_no)
), ranked as (
    select *, row_number() over (
               partition by topic_no, partition, beyond order by "offset", event_no
           ) as place
    from counted
)
select q.topic_no, q.partition, q."offset", q.reason, q.detail,
       case when not r.beyond then q.key end, case when not r.beyond then q.value end, r.beyond
from ranked r
join traffic.quarantined_events q using (topic_no, partition, "offset", event_no)
where not r.beyond or r.place = 1
order by q.topic_no, q.partition, q."offset", q.event_no
