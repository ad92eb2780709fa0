-- Good: no quality test failed, or only that for low speed (bit 8) on an empty road.
(r.quality_flags = 0
 or r.quality_flags = 8 and coalesce(r.speed, 0) = 0
    and coalesce(r.volume, 0) = 0 and coalesce(r.occupancy, 0) = 0)
