-- A page of a local day over all sensors, without counts: for readings that were inserted by hand.
select (select count(*) from traffic.traffic_readings r
        where r."timestamp" >= %(lower)s and r."timestamp" < %(upper)s) as total,
       convert_to(coalesce((
           select string_agg(traffic.reading_json(sensor_id, "timestamp",
               --| measures {m},
               quality_score), ','
                             order by "timestamp", sensor_id)
           from (
               select r.sensor_id, r."timestamp",
                      --| measures r.{m},
                      r.quality_score
               from traffic.traffic_readings r
               where r."timestamp" >= %(lower)s and r."timestamp" < %(upper)s
               order by r."timestamp", r.sensor_id
               offset %(first)s
               limit %(size)s
           ) page), ''), 'UTF8') as items
