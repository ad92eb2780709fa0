           percentile_cont(array[0.25, 0.5, 0.75]) within group (
               order by extract(epoch from
                   least(r.broker_timestamp, r.created_at) - r."timestamp")::double precision
           ) as delay
