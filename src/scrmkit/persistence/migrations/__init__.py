"""Alembic's migrations; the schema that they lead to is ``schema.metadata``, and a test says so."""
