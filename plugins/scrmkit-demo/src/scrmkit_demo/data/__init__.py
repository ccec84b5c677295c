"""The orders that the demo runs on; see the README beside this file for their source."""
