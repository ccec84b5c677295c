"""The demo's report: one HTML file with charts that opens without a network."""
