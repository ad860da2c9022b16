"""The Document: a plain, inert description of an object graph. Nothing in it can run.

`document` holds the records; `parts` what getters hand over and loaders receive.
"""
