"""Reads pickles without running them: opcodes, a symbolic machine, and what it found.

- `values`: what a pickle would make, as inert records.
- `reading`: the bytes of a stream, through a window.
- `opcodes`, `constants`, `containers`: the table of opcodes.
- `python2`, `moved`: names that are others today.
- `dtypes`: the dtype of numpy that records stand for.
- `machine`: runs one pickle and writes down what loading it would do.
- `joblib`: arrays whose bytes stand between opcodes.
- `formats`, `files`: every pickle in a file, however it is wrapped. Begin at `files.streams`.
- `script`: writes a pickle as Python; with `sections`, `forms`, `expressions`, `literals`, `labels`,
  `naming`, `importing`, and `uses`, which looks at all of it first.
- `trace`: a pickle opcode by opcode.
"""
