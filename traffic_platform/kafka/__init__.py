"""Kafka clients: consumer, admin, log reader, transactional producer, and our own mark."""
