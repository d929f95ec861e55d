"""Sources of truth: chassis that are planned in NetBox or Nautobot, and what is told back there.

A sync pulls everything that is selected, checks it again, and only then touches the inventory, in
one transaction. Nothing is ever removed by it. Source: docs/source-of-truth.md.
"""
