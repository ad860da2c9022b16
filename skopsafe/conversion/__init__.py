"""Turns what a pickle would make into what a file of skopsafe holds, without making it.

- `stands`: objects that stand for those of libraries, and are taken apart as those would be.
- `objects`: from the records of the symbolic machine to a graph of plain objects and such.
- `rules`: the table of calls that are understood, one by one; a module for each library has its rows.

Containers and constants of Python, arrays of numpy and values of the standard library are made as they are.
Nothing of another library is imported, and no name of the pickle is.
"""
