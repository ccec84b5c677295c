"""The demo: real orders, sandboxes, campaigns, scores and a report."""
