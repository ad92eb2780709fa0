"""The local stack: embedded PostgreSQL, Apache Kafka and Dagster under one small supervisor."""
