"""Files that skops wrote, read without skops.

- `schema`: ``schema.json`` as JSON, with its protocol.
- `members`: arrays, bytes and sparse matrices of the zip, within limits.
- `loaders`: which loader a node may name, by the name of its type.
- `nodes`, `library_nodes`: a node to the record that a pickle would have for the same object.
- `tree`: all nodes of a file, in a loop.

A file of skops is a tree of nodes. Each has the name of a type, the name of the class of skops that is to
load it, and its content. The second of these is what attacks on skops were made of, so it decides nothing
here: the name of the type decides, and a node whose loader contradicts that is refused.
"""
