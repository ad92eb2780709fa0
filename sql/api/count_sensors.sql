-- Number of sensors, of one road or origin where given.
select count(*) from traffic.sensors s
where (%(road)s::text is null or s.road = %(road)s)
  and (%(origin)s::text is null or s.origin = %(origin)s)
