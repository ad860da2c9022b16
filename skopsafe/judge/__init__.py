"""Says of pickles what loading them would do: a verdict for each operation, and one for the file.

- `levels`: the four verdicts.
- `naming`: what stands behind a name, by the tables of `trust`, the reviewed calls and installed sources.
- `calls`, ``calls.toml``: what pickles of libraries call; `arguments`: what it may be called with;
  `attributes`: what `getattr` gives out; `texts`: those among arguments; `shapes`: what no pickler does.
- `sources`, `definitions`: names followed in the source of installed modules, which are not imported.
- `rules`: the table of rules; `judging`: applies them to pickles; `nested`: pickles within pickles.
- `shown`: values as short texts; `reports`: what comes out.
"""
