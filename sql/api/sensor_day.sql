-- Local days that begin in the range; those that a zone left out have no readings.
select r.date::timestamp at time zone p.timezone as "timestamp", r.samples, r.completeness,
       r.vehicles, r.flow, r.speed, r.min_speed, r.max_speed, r.occupancy, r.good_share, r.vmt,
       r.vht, r.delay_h, r.travel_time_index
from traffic.platform p
join traffic.readings_daily r
  on r.sensor_id = %(sensor_id)s
 and r.date >= (%(from)s at time zone p.timezone)::date
 and r.date <= (%(to)s at time zone p.timezone)::date
where r.date::timestamp at time zone p.timezone >= %(from)s
  and r.date::timestamp at time zone p.timezone < %(to)s
order by r.date
