"""Getter/loader pairs: one file, or folder, per library.

`registry` finds the handler of an object or of a type's name. A handler's module imports its library
only inside functions, which run at dump or after approval.
"""
