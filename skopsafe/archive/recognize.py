"""What a file is that is no zip."""

from __future__ import annotations

import re

_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x04\x22\x4d\x18", b"]\0\0")
# Protocols 0 and 1 have no magic number, but begin with a class, a container, a number or a text.
_OLD_PICKLE = re.compile(
    rb"c[a-zA-Z_][\w.]*\n|\([ldt]p?\d|[\]})]q|\(?(?:[IFL][-+.\w]+\n|V[^\n]*\np\d|K.|X..\0\0|G.{8}|c[\w.]+\n)",
    re.DOTALL,
)
_INSPECT = "`skopsafe inspect` shows what it would do"


def recognize(head: bytes, last: bytes) -> str:
    """Say what a file is that is no zip, from its first bytes and its last."""
    if not head:
        return "the file is empty"
    old = last == b"." and _OLD_PICKLE.match(head)
    if old or (head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")):
        return f"this is a pickle, which can run any code when it is loaded; {_INSPECT}"
    zlib_stream = head[:1] == b"x" and len(head) > 1 and (head[0] * 256 + head[1]) % 31 == 0
    if zlib_stream or head.startswith(_COMPRESSED):
        return (
            "this is a compressed stream, perhaps a pickle that joblib compressed, which can run any code "
            f"when it is loaded; {_INSPECT}"
        )
    return "this is not a zip, and so not a skopsafe file"
