            select sum(p.samples)::integer as samples,
                   sum(p.with_volume)::integer as with_volume,
                   sum(p.sum_volume)::bigint as sum_volume,
                   -- Whole after the sum: its rounding errors, which depend on the order, are
                   -- far smaller than a half.
                   round(sum(p.vehicles) * 3600000) / 3600000 as vehicles,
                   sum(p.sum_q)::bigint as sum_q,
                   sum((least(p.sum_qv, 9e12) * 1000000)::bigint)::double precision / 1000000
                       as sum_qv,
                   min(p.min_speed) as min_speed,
                   max(p.max_speed) as max_speed,
                   sum(p.with_occupancy)::integer as with_occupancy,
                   sum((p.sum_occupancy * 1000000)::bigint)::double precision / 1000000
                       as sum_occupancy,
                   sum(p.good)::integer as good,
                   sum(p.observed)::integer as observed,
                   round(sum(p.observed_s) * 1000) / 1000 as observed_s,
                   sum(p.vmt::numeric)::double precision as vmt,
                   sum(p.vht::numeric)::double precision as vht,
                   sum(p.free_vht::numeric)::double precision as free_vht,
                   sum(p.delay_h::numeric)::double precision as delay_h
