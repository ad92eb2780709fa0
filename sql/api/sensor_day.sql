-- Roll-ups of local days that start in a range of time. If a zone's clocks show midnight twice, the day
-- starts at the first one, as in events/dates.py: right after the last second of the day before. Days
-- that a zone skipped have no readings.
select b.start as "timestamp", r.samples, r.completeness, r.vehicles, r.flow, r.speed, r.min_speed,
       r.max_speed, r.occupancy, r.good_share, r.vmt, r.vht, r.delay_h, r.travel_time_index
from traffic.platform p
join traffic.readings_daily r
  on r.sensor_id = %(sensor_id)s
 and r.date >= (%(from)s at time zone p.timezone)::date
 and r.date <= (%(to)s at time zone p.timezone)::date
cross join lateral (
    select least(r.date::timestamp at time zone p.timezone,
                 (r.date::timestamp - interval '1 second') at time zone p.timezone
                 + interval '1 second') as start
) b
where b.start >= %(from)s and b.start < %(to)s
order by r.date
