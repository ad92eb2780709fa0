select max(date) as newest from traffic.detector_health where diagnosis <> 'not_evaluated'
