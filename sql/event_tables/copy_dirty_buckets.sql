copy traffic.dirty_buckets (sensor_ids, buckets) from stdin (format binary)
