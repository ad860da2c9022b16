"""What a Document looks like to people: pure functions that return text and print nothing.

`text` draws the tree of a Document.
"""
