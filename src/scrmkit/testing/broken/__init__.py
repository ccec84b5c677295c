"""
Broken plugins: for each check of the conformance suites, one that fails it alone.

They are what the suites are tested with, and short examples of what a plugin
can get wrong. Each module starts with a good plugin and the harness that tests
it; each broken one differs from the good one in the one thing that its
docstring says.
"""
