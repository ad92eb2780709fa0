--| parts/ledger_blockers
order by a.xact_start nulls last
limit 3
