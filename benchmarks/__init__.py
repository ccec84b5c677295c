"""How fast scrmkit is, each time against a baseline in the same run."""
