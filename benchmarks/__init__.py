"""Measurements with pytest-benchmark: run ``python -m benchmarks --smoke`` from the root of the repository.

``models`` and ``jobs`` say what is measured, ``conftest`` has the one way of measuring, each ``bench_*.py``
is a subject, ``report`` makes tables and ``plots`` pictures of what pytest-benchmark wrote.
"""
