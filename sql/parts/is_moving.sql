-- Vehicles with a plausible speed: the tests for high speed (bit 4) and for volume at speed 0 (bit 16)
-- did not fail.
(r.volume > 0 and r.speed between 0.000001 and 300 and r.quality_flags & 20 = 0)
