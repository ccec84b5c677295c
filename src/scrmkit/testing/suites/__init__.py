"""
Conformance suites: what every plugin of a family keeps, as tests to subclass.

A suite is a class of tests whose plugin and examples are fixtures. A vendor
subclasses it, overrides those fixtures, and adds what is peculiar to the
plugin. Every check names in ``scrmkit.testing.broken`` a small plugin that
fails exactly this one, so that each is known to be able to fail.
"""
