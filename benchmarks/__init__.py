"""Side by side in one go: the bridge, the loop that it takes the place of, and its peers. Run: make bench.

In the order in which it runs: ``lists`` (what is to be brought about), ``peers`` (by whom), ``testbed`` and ``proxy``
(where), ``measures`` (what is taken), ``report`` (what is told).
"""
