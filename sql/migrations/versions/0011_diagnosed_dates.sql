-- When the detectors of a date were diagnosed last: rows that say the same as before stay as they are.
create table traffic.diagnosed_dates (
    date date primary key,
    diagnosed_at timestamptz not null default now()
);
insert into traffic.diagnosed_dates (date, diagnosed_at)
select date, min(computed_at)
from traffic.detector_health
group by date;

-- Checks ask every half hour for what was stored since the last time.
create index on traffic.micro_batches (committed_at);
