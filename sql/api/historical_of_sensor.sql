-- A page of a local day of one sensor, by its primary key, and the sensor's number of readings that day.
select (select count(*) from traffic.traffic_readings r
        where r.sensor_id = %(sensor_id)s
          and r."timestamp" >= %(lower)s and r."timestamp" < %(upper)s) as total,
       convert_to(coalesce((
           select string_agg(traffic.reading_json(sensor_id, "timestamp",
               --| measures {m},
               quality_score), ','
                             order by "timestamp")
           from (
               select r.sensor_id, r."timestamp",
                      --| measures r.{m},
                      r.quality_score
               from traffic.traffic_readings r
               where r.sensor_id = %(sensor_id)s
                 and r."timestamp" >= %(lower)s and r."timestamp" < %(upper)s
               order by r."timestamp"
               offset %(first)s
               limit %(size)s
           ) page), ''), 'UTF8') as items
