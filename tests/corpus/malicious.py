"""All malicious samples."""

from __future__ import annotations

from tests.attacks.published_names import PUBLISHED
from tests.corpus.calls import CALLS
from tests.corpus.samples import Sample, call, stream, text
from tests.corpus.structures import STRUCTURES


def _named(spelled: str) -> Sample:
    content = stream(call(spelled, text("x")))
    plain = "".join(letter if letter.isalnum() else "_" for letter in spelled)
    return Sample(f"published-{plain}", lambda marker: content, works=False)


_FURTHER = ("_tkinter:TkappType.eval", "click:edit", "execnet:makegateway", "six.moves:getoutput")
"""Published too; the floor, which holds for files of skopsafe as well, has none of them."""

MALICIOUS: list[Sample] = [*CALLS, *STRUCTURES, *map(_named, (*PUBLISHED, *_FURTHER))]
"""Each family of attacks and each way past a scanner that was published up to 2026, as far as we know."""
