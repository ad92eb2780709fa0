"""The clean stream: processed events to Kafka, each once, for other consumers.

    positions   how far each log is published, in PostgreSQL
    rows        what is to be published next, from PostgreSQL
    encode      rows as messages
    lane        the transactional producer of one source partition
    recovery    where a lane goes on: its predecessor's last messages in Kafka
    session     one connection and all lanes; a cycle moves what there is
    publisher   a window of publishing

The rows of source partition p go to one partition of the destination, in Kafka transactions of
the id `traffic-platform-<platform id>-p`: of two publishers one is fenced. The position in
PostgreSQL is written after each transaction and may be behind; a publisher that starts fences
its predecessor first, and then looks in Kafka for the messages that the position does not know
of yet. So a crash neither loses nor repeats a message for a `read_committed` reader.
"""
