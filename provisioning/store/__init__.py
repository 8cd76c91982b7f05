"""The only home of SQLAlchemy: tables, queries, migrations."""
