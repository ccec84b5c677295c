"""The domain: frozen values that everything else is about."""
