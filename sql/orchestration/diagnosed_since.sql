-- The newest dates before a day whose diagnoses were written since `since`. Diagnoses that were computed
-- again without a change do not count.
select d.date
from traffic.diagnosed_dates d
where d.diagnosed_at >= %(since)s and d.date < %(before)s
  and exists (
    select from traffic.detector_health h where h.date = d.date and h.computed_at >= %(since)s
  )
order by d.date desc
limit %(most)s
