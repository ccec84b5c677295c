"""RFM scores and the eight segments."""
