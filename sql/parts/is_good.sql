-- Good: no quality test failed, or only that for low speed (bit 8) on an empty road.
(r.quality_flags = 0
 or r.quality_flags = 8
    --| measures and coalesce(r.{m}, 0) = 0
)
