"""Kafka clients: consumer, admin, log reader, transactional producer and origin header."""
