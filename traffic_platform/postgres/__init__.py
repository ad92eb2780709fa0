"""PostgreSQL: connections, binary COPY, migrations, the catalogue of tables and columns."""
