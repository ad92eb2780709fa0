insert into traffic.rebuilds
    (batch_id, date, rules_version, run_id, raw_restored, events_added, events_changed,
     events_removed, entered, "left", moved, rejudged, readings_added, readings_changed,
     readings_removed, committed_at)
values
    (%(batch_id)s, %(day)s, %(rules_version)s, %(run_id)s, %(raw_restored)s, %(events_added)s,
     %(events_changed)s, %(events_removed)s, %(entered)s, %(left)s, %(moved)s, %(rejudged)s,
     %(readings_added)s, %(readings_changed)s, %(readings_removed)s, %(moment)s)
