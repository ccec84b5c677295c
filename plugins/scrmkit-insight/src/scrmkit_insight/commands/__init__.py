"""The commands: they read the database without an engine and without any plugin."""
