"""A plugin framework and SDK for building social CRM (SCRM, 私域) systems."""

__version__ = "0.1.0"
