"""PostgreSQL: connections, binary COPY, migrations, partitions, the catalogue of columns."""
