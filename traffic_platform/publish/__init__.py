"""The clean stream: processed events published to Kafka, each once, for other consumers.

    publisher           a publisher run: takes the lock, and publishes for a while
    goal                the positions at which a run ends that publishes what waits at its start
    publisher_session   one connection and all producers; a cycle publishes the next events
    positions           the positions of each partition generation, in PostgreSQL
    rows                the next rows to publish, from PostgreSQL
    encode              rows as messages
    recovery            messages of predecessors that Kafka holds beyond the positions
    ahead               those messages in PostgreSQL, until the positions have passed them

The rows of source partition p go to one partition of the destination, in Kafka transactions with
the id `traffic-platform-<platform id>-p`, so Kafka fences one of two publishers. The position in
PostgreSQL is written after each transaction and may be behind Kafka, by hours after a restore. A
publisher that starts first fences its predecessor, then searches Kafka for messages beyond the
stored positions, and skips these. So neither a crash nor a restore loses or repeats a message for a
`read_committed` reader.
"""
