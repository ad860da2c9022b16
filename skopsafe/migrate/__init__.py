"""Files of older releases of scikit-learn, made into what the installed release would have written.

All of it works on a Document that nobody has approved: on inert records, never on live objects. What comes
out is audited, approved and validated like any other Document, so that a file that lies about its release
gains nothing.

- `nodes`: a Document as a graph that can be changed; `encoding`: the way back; `arrays`: arrays that are made
  of others when they are asked for, so that an audit reads none.
- `records`: the kinds of what is known of a change: migrations and refusals.
- ``sklearn_1_3`` and the like: the changes of one release each.
- `migrating`: the way through them; `releases`: which are older; `kept`: where predictions are known to stay.
"""
