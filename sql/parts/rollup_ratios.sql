           u.seconds / u.interval_s as expected_samples,
           u.samples::double precision * u.interval_s / u.seconds as completeness,
           u.with_volume, u.sum_volume,
           u.sum_volume::double precision * u.interval_s / 3600 as vehicles,
           u.sum_volume::double precision / nullif(u.with_volume, 0) as flow,
           u.sum_q, u.sum_qv, u.sum_qv / nullif(u.sum_q, 0) as speed, u.min_speed, u.max_speed,
           u.with_occupancy, u.sum_occupancy,
           u.sum_occupancy / nullif(u.with_occupancy, 0) as occupancy,
           u.good, u.good::double precision / u.samples as good_share,
           u.observed,
           u.observed::double precision * greatest(300, coalesce(u.interval_s, 300)) / u.seconds
               as observed_share,
           u.vmt, u.vht, u.free_vht, u.delay_h,
           u.vht / nullif(u.free_vht, 0) as travel_time_index
