"""Schema, statements, migrations and connections, on SQLAlchemy Core."""
