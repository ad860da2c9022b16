"""Fuzzing guided by coverage: targets, mutators, a corpus, and the engine that makes it grow.

A *target* (`targets.TARGETS`) is a plain function of bytes. It lets a `SkopsafeError` pass and nothing else,
and asserts more than that nothing crashes. `corpus/` has inputs that each reach something new, `crashers/`
those that once were findings; `test_replay` runs both. ``nox -s fuzz`` looks for more; see
``tests/attacks/README.md``.
"""
