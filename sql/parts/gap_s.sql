-- The gap `g.gap` as an interval in seconds: whole ones, and hundredths for several readings per second.
-- Jitter of readings is less than half of that.
case when date_part('epoch', g.gap) > 0.75
     then greatest(1, round(date_part('epoch', g.gap)))::numeric
     else trim_scale(greatest(0.01, round(date_part('epoch', g.gap)::numeric, 2)))
end
