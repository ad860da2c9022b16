"""A Document on disk: `container` is the zip, `arrays` the ``.npy`` members, `schema` the JSON."""
