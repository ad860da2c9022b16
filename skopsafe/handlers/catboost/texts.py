"""What computes features from texts: tokenizers, dictionaries, and what counts their tokens.

Dictionaries and counts are hash tables, walked until the token or an empty place is found. Source:
``catboost/private/libs/text_features/`` (``text_processing_collection.cpp`` and the ``.cpp`` of each kind),
``library/cpp/text_processing/`` and ``library/cpp/containers/dense_hash``, in CatBoost 1.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from skopsafe.handlers.catboost.blob import TEXTS, Reader
from skopsafe.handlers.catboost.features import Outputs
from skopsafe.handlers.catboost.flat import Buffer, Column, Kind, Vector, present, refuse
from skopsafe.handlers.checks import in_range, require

_WHERE = "CatBoost.model.TextProcessing"
_TOKENIZER, _DICTIONARY, _CALCER, _END = range(4)
_WORDS = np.dtype([("hash", "<u8"), ("token", "<u4"), ("filler", "<u4")])
_COUNTS = np.dtype([("token", "<u4"), ("count", "<u4")])
_NO_HASH = 2**64 - 1
BOW, BAYES, BM25 = range(3)
_HEADER = Kind(
    "TokenizerId:16 DictionaryId:16 CalcerId:16 PerFeatureDigitizers:4 PerTokenizedFeatureCalcers:4"
)
_LIST = Kind("Ids:4")
_PART = Kind("PartType:B PartId:16s", PartId=None)
_DICTIONARY_HEADER = Kind("Magic:x DictionaryOptions:table")
_OPTIONS = Kind(
    "TokenLevelType:b GramOrder:i SkipStep:i StartTokenId:x EndOfWordPolicy:b EndOfSentencePolicy:b",
    GramOrder=1,
    EndOfWordPolicy=1,
)
_CALCER_HEADER = Kind(
    "Id:16s ActiveFeatureIndices:4 FeatureCalcerImplType:B FeatureCalcerImpl:table", Id=None
)
_UNION = {
    BOW: (3, Kind("NumTokens:I")),
    BAYES: (2, Kind("NumClasses:I ClassPrior:x TokenPrior:x Seen:x ClassDocs:4 ClassTotalTokens:8")),
    BM25: (1, Kind("NumClasses:I Truncate:x K:x B:x TotalTokens:x ClassTotalTokens:8")),
}


def check_texts(reader: Reader) -> Outputs:
    """Check what computes features from texts."""
    reader.magic(TEXTS, _WHERE)
    header = reader.buffer(_WHERE)
    *ids, digitizers, users, _ = header.root(_HEADER)
    tokenizers, dictionaries, calcers = (read_ids(header, found, _WHERE) for found in ids)
    require(
        len(tokenizers) == len(dictionaries), "is not as long as the tokenizers", f"{_WHERE}.DictionaryId"
    )
    every = [*tokenizers, *dictionaries, *calcers]
    require(len(set(every)) == len(every), "an id is there twice", _WHERE)
    features, owned = read_lists(header, digitizers, f"{_WHERE}.PerFeatureDigitizers", len(tokenizers))
    per, used = read_lists(header, users, f"{_WHERE}.PerTokenizedFeatureCalcers", len(calcers))
    for start, count in zip((np.cumsum(features) - features).tolist(), features.tolist(), strict=True):
        mine = owned[start : start + count]
        require(len(np.unique(mine)) == count, "names one twice", f"{_WHERE}.PerFeatureDigitizers")
    require(
        len(per) == len(owned), "is not one for each tokenized text", f"{_WHERE}.PerTokenizedFeatureCalcers"
    )
    require(bool((per > 0).all()), "a tokenized text is not used", f"{_WHERE}.PerTokenizedFeatureCalcers")
    unique = len(np.unique(used)) == len(used) == len(calcers)
    require(unique, "does not name each once", f"{_WHERE}.PerTokenizedFeatureCalcers")
    return Outputs(len(features), _check_parts(reader, tokenizers, dictionaries, calcers))


def read_ids(header: Buffer, vector: Vector, where: str) -> list[bytes]:
    """Return the ids of a list of parts."""
    start, count = present(vector, where)
    return [header.data[place : place + 16] for place in range(start, start + 16 * count, 16)]


def read_lists(header: Buffer, vector: Vector, where: str, most: int) -> tuple[Column, Column]:
    """Return how long each list of numbers is, and the numbers; all are less than `most`."""
    lists = [present(ids, where) for ids, _ in header.rows(_LIST, present(vector, where), where)]
    numbers = header.chain(lists, "<u4", where)
    in_range(numbers, where, 0, most)
    return np.array([count for _, count in lists], np.int64), numbers


def read_part(reader: Reader, where: str) -> tuple[int, bytes]:
    """Return the kind and the id of the next part."""
    kind, name, _ = reader.buffer(where).root(_PART)
    if not name:
        refuse("has no id", where)
    return kind, name


def _check_parts(
    reader: Reader, tokenizers: Sequence[bytes], dictionaries: Sequence[bytes], calcers: Sequence[bytes]
) -> dict[bytes, int]:
    expected = {
        (kind, name): True
        for kind, names in ((_TOKENIZER, tokenizers), (_DICTIONARY, dictionaries), (_CALCER, calcers))
        for name in names
    }
    outputs = {}
    while True:
        kind, name = read_part(reader, _WHERE)
        if kind == _END:
            break
        require(expected.pop((kind, name), False), "a part is there that nothing names, or twice", _WHERE)
        if kind == _CALCER:
            outputs[name] = _check_calcer(reader, name)
        else:
            (_check_tokenizer if kind == _TOKENIZER else _check_dictionary)(reader, name)
    require(not expected, "a part is missing", _WHERE)
    return outputs


def _check_tokenizer(reader: Reader, name: bytes) -> None:
    """Check the options of a tokenizer, written one after the other."""
    where = f"{_WHERE}.Tokenizer"
    reader.magic(b"TokenizerV1\0", where)
    require(reader.take(16, where) == name, "has another id", where)
    for option in ("Lowercasing", "Lemmatizing"):
        flag = reader.number(1, where)
        # The release that everybody has knows no lemmas, and says so.
        require(flag <= (option == "Lowercasing"), f"{flag} is not supported", f"{where}.{option}")
    require(reader.number(4, where) <= 2, "is unknown", f"{where}.NumberProcessPolicy")
    reader.skip(reader.size(where), f"{where}.NumberToken")
    by_sense = reader.number(4, where)
    require(by_sense <= 1, "is unknown", f"{where}.SeparatorType")
    delimiter = reader.take(reader.size(where), f"{where}.Delimiter")
    by_set, skip = reader.number(1, where), reader.number(1, where)
    require(by_set <= 1 and skip <= 1, "is neither yes nor no", f"{where}.SplitBySet")
    require(by_set or by_sense or len(delimiter), "splits at nothing, without end", f"{where}.Delimiter")
    in_range(reader.items(reader.size(where), "<u4", where), f"{where}.TokenTypes", 0, 6)
    require(reader.number(4, where) <= 1, "is unknown", f"{where}.SubTokensPolicy")
    reader.items(reader.size(where), "<u4", f"{where}.Languages")


def _check_dictionary(reader: Reader, name: bytes) -> None:
    where = f"{_WHERE}.Dictionary"
    reader.magic(b"DictionaryV1\0", where)
    require(reader.take(16, where) == name, "has another id", where)
    reader.magic(b"MMapDictionary\0", where)
    start = reader.place
    size = reader.number(8, where)
    buffer = reader.buffer(where)
    _, place, _ = buffer.root(_DICTIONARY_HEADER)
    level, order, skip, _, *others, _ = buffer.table(_OPTIONS, place, f"{where}.DictionaryOptions")
    kinds = [level, *others]
    letters = level == 1
    where = f"{where}.DictionaryOptions"
    require(all(0 <= kind <= 1 for kind in kinds), "is unknown", f"{where}.TokenLevelType")
    fits = 1 <= order <= (2**20 if letters else 5)
    require(fits, f"{order} is no length of a gram", f"{where}.GramOrder")
    require(0 <= skip <= 2**20, f"{skip} is no step", f"{where}.SkipStep")
    for _ in range(1 if letters or order == 1 else 2):
        _check_words(reader, where)
    require(reader.place - start == size, "is not as long as it says", where)


def _check_words(reader: Reader, where: str) -> None:
    size = reader.number(8, where)
    reader.number(8, where)  # the seed
    require(size % _WORDS.itemsize == 0, "ends within a bucket", where)
    buckets = reader.items(size // _WORDS.itemsize, _WORDS, where)
    _require_empty(len(buckets), int((buckets["hash"] != _NO_HASH).sum()), where)


def _require_empty(size: int, filled: int, where: str) -> None:
    """Require a table of hashes that every walk comes to an end in; the writers leave half of it empty."""
    require(size > 0 and size & (size - 1) == 0, f"{size} is no power of two", where)
    require(filled < size and filled <= 0.51 * size, "too few places are empty", where)


def read_calcer(
    reader: Reader, name: bytes, magic: bytes, union: Mapping[int, tuple[int, Kind]], where: str
) -> tuple[int, Column, Buffer, list[Any]]:
    """Return the kind of what computes features, which outputs it gives, and the table of that kind."""
    reader.magic(magic, where)
    kind = reader.number(4, where)
    buffer = reader.buffer(where)
    found, active, union_kind, place, _ = buffer.root(_CALCER_HEADER)
    require(found == name, "has another id", where)
    present(active, f"{where}.ActiveFeatureIndices")
    require(kind in union, f"{kind} is unknown", where)
    number, fields = union[kind]
    require(union_kind == number, "is of another kind", where)
    values = buffer.table(fields, place, f"{where}.FeatureCalcerImpl")
    return kind, buffer.items(active, "<u4"), buffer, values


def check_active(active: Column, outputs: int, where: str) -> None:
    """Require that what is given are some of the outputs, each once."""
    in_range(active, f"{where}.ActiveFeatureIndices", 0, outputs)
    require(len(np.unique(active)) == len(active), "names one twice", f"{where}.ActiveFeatureIndices")


def _check_calcer(reader: Reader, name: bytes) -> int:
    """Check what computes features from tokens, and return how many."""
    where = f"{_WHERE}.FeatureCalcer"
    kind, active, _, values = read_calcer(reader, name, b"FeatureCalcerV1\0", _UNION, where)
    number = outputs = values[0]
    if kind != BOW:
        for vector in values[4:6] if kind == BAYES else values[5:6]:
            _, count = present(vector, f"{where}.ClassDocs")
            require(count == number, f"is not as long as {number} classes", f"{where}.ClassDocs")
        require(
            reader.size(where) == number, f"is not one for each of {number} classes", f"{where}.Frequencies"
        )
        require(number > 0, "has no class", where)
        for _ in range(number):
            _check_counts(reader, f"{where}.Frequencies")
        outputs = number if kind == BM25 or number > 2 else 1
    check_active(active, outputs, where)
    return len(active)


def _check_counts(reader: Reader, where: str) -> None:
    """Check the counts of tokens of one class."""
    mask, filled, threshold = (reader.number(8, where) for _ in range(3))
    buckets: Any = reader.items(reader.size(where), _COUNTS, where)
    empty = reader.number(4, where)
    reader.number(4, where)
    there = int((buckets["token"] != empty).sum())
    require(mask == len(buckets) - 1, f"{mask} is not the mask of {len(buckets)} places", where)
    require(filled == there and threshold <= len(buckets), "is not filled as it says", where)
    _require_empty(len(buckets), there, where)
