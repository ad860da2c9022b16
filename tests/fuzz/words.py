"""Words that mean something to a target, for the dictionaries of the engine and for mutants."""

from __future__ import annotations

from typing import Any

DTYPES: tuple[Any, ...] = (
    "<f8", "|u1", "|b1", "<U3", "|S2", "<M8[ns]", "<m8", "<c16", "<f2", "|V8", "|O", "|V0", "<U0", "f8,i4",
    [["a", "<f8"]], [["a", "|O"]], [["a", "|b1"], ["", "|V3"]], [["a", "<i4", [2, 3]]], [[["t", "n"], "|u1"]],
)  # fmt: skip
ARRAY_RUNS: tuple[Any, ...] = (
    [0, 0, 0, 1, [1]], [0, 0, 0, 2, [[1, 2]]], [0, 0, 1, 1, [2, 2]], [0, 0, 0, 3, [0]], [0, 0, 0, 1, []],
    [0, 0, 0, 10**6, [0]], [0, 0, 0, 2, [[2**40, 0]]], [0, 0, 0, 1, [2**62, 0]], [0, 0, 0, 1, [1] * 65],
)  # fmt: skip
_NAMES = (
    "builtins:list", "builtins:dict", "builtins:tuple", "builtins:int", "builtins:set", "builtins:float",
    "builtins:str", "builtins:slice", "builtins:partial", "numpy:ndarray", "numpy:generic", "numpy:dtype",
    "collections:OrderedDict", "collections:defaultdict", "functools:partial", "sklearn.pipeline:Pipeline",
    "sklearn.model_selection._search:GridSearchCV", "sklearn.svm._classes:SVC", "xgboost.core:Booster",
    "sklearn.preprocessing._function_transformer:FunctionTransformer", "lightgbm.basic:Booster",
    "catboost.core:CatBoost", "sklearn.feature_extraction.text:TfidfVectorizer", "unknown.module:Type",
    "sklearn.ensemble._gb:GradientBoostingClassifier", "sklearn.linear_model._base:LinearRegression",
)  # fmt: skip
_FUNCTIONS = ("numpy:log1p", "os:system", "builtins:eval", "math:floor", "numpy:save", "builtins:str")
TYPES = (
    *((name, "class") for name in _NAMES),
    *((name, role) for name in _FUNCTIONS for role in ("value", "call")),
)
ATTRIBUTES = (
    "a", "array", "memory", "param_grid", "kernel", "func", "steps", "input", "()args", "()kwargs",
    "()state", "x y",
    "\x1b[31m", "\u202e", "",
)  # fmt: skip
SCHEMA_PARTS: tuple[Any, ...] = (
    *([name, "class"] for name in _NAMES),
    *([name, role] for name in _FUNCTIONS for role in ("value", "call")),
    *({"ref": number} for number in (0, 1, 2)),
    *({"ref": number, "step": 1} for number in (0, 1)),
    *({"refs": numbers} for numbers in ([0], [0, 1], [1, 0], [0, 0, 0])),
    *({"first": number} for number in (0, 1, 2**53 - 1)),
    {"floats": 0},
    {"columns": [[1, 2], ["a", "b"]], "count": 2},
    {"columns": [{"ref": 0, "step": 1}], "count": 2},
    {"columns": [["a", "b"], {"refs": [0, 1]}], "count": 2},
    *([number] for number in (0, 1, 2, 3)),
    *([number, None] for number in (0, 1)),
    *([number, names] for number in (0, 1) for names in ([], ["a"], ["array"], ["a", "b"], ["()args"])),
    *([number, names] for number in (0, 1) for names in (["param_grid"], ["kernel"], ["func"], ["\x1b"])),
    *([0, width] for width in (1, 2, 1024)),
    [0, 1, [[]]], [0, 2, [[[0]], [[1]]]], [1, 1, []], [0, 3, [0]], [0, 1, [1]], "<f8",
)  # fmt: skip

_SCHEMA = (
    "format", "skopsafe", "protocol", "__class__", "__module__", "__loader__", "load", "skopsafe.load",
    "writer",
    "types", "shapes", "dtypes", "members", "arrays", "runs", "root", "ref", "step", "refs", "first",
    "floats",
    "columns", "count", "class", "value", "call", "array", *_NAMES, *_FUNCTIONS,
)  # fmt: skip

WORDS: dict[str, tuple[bytes, ...]] = {
    "container": (
        b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\6\6", b"PK\6\7", b"schema.json", b"pool/0.npy", b"arrays/1.npy",
        b"\x93NUMPY\1\0", b"\xff\xff\xff\xff", b"\xff\xff", b"\1\0\x10\0", b"up", b"\x35\xd9", b"\x08\0",
        b"\x0c\0",
        b"\x0e\0", b"]\0",
    ),
    "schema": (*(f'"{word}"'.encode() for word in _SCHEMA), b"null", b"true", b"[[0]]", b"{}", b"[]", b"1e5"),
    "npy": (
        b"\x93NUMPY\1\0", b"\x93NUMPY\2\0", b"\x93NUMPY\3\0", b"'descr'", b"'fortran_order'", b"'shape'",
        b"True",
        b"False", b"'<f8'", b"'|O'", b"'O'", b"'|V0'", b"'<M8[25s]'", b"'<U4'", b"(", b")", b"[", b"]", b"{",
        b"}",
        b",", b":", b"1", b"0", b"-1", b"1L", b"1_0", b"0x10", b"2**3", b"[('a','<f8')]", b"('<f8',(2,))",
        b"'f8,O'",
        b"'a4'", b"None", b"\\", b"\n", b"b'x'", b"...", b"set()", b"1e5", b"1j", b"(3,)",
        b"'\\N{DIGIT ONE}'", b"'\\q'",
    ),
    "pickles": (
        b"\x80\4", b"\x80\2", b".", b"0", b"2", b"(", b"1", b"N", b")", b"]", b"}", b"\x85", b"\x86",
        b"\x87", b"R", b"b",
        b"\x81", b"\x92", b"\x93", b"\x94", b"\x8c\2os", b"\x8c\6system", b"\x8c\4math", b"\x8c\5floor",
        b"cos\nsystem\n",
        b"cposix\nsystem\n", b"(ios\nsystem\n", b"q\0", b"q\1", b"h\0", b"h\1", b"p0\n", b"p01\n", b"g0\n",
        b"g01\n", b"r\0\0\0\0",
        b"j\0\0\0\0", b"S'os'\n", b"Vos\n", b"U\2os", b"T\2\0\0\0os", b"X\2\0\0\0os",
        b"\x8d\2\0\0\0\0\0\0\0os", b"I1\n", b"K\1",
        b"o", b"t", b"l", b"d", b"a", b"e", b"s", b"u", b"\x90", b"\x91", b"\x8f", b"\x82\1", b"P1\n", b"Q",
        b"L1L\n", b"F1.0\n",
        b"\x95\4\0\0\0\0\0\0\0", b"\x8a\1\1", b"\x8b\1\0\0\0\1", b"C\1x", b"B\1\0\0\0x",
        b"\x8e\1\0\0\0\0\0\0\0x",
        b"\x96\1\0\0\0\0\0\0\0x", b"\x97", b"\x98", b"\x88", b"G\0\0\0\0\0\0\0\0",
        b"ccopy_reg\n_reconstructor\n",
        b"\xff\xff\xff\xff", b"\0\0\0\0\0\0\0\x40",
    ),
    "decompression": (
        b"BZh9", b"1AY&SY", b"\x17rE8P\x90", b"\x28\xb5\x2f\xfd", b"\x09\x04\x05\x00]", b"\x03\x00",
    ),
    "xgboost": (
        b"0", b"1", b"2", b"-1", b"1E0", b"[1E0,2E0]", b"nan", b"inf", b"4294967296", b"gbtree", b"gblinear",
        b"dart",
        b"reg:squarederror", b"multi:softprob", b"binary:logistic", b"rank:ndcg", b"reg:quantileerror",
        b"best_iteration",
        b"trees", b"cats", b"weight_drop", b"[$l#L", b"[$d#L", b"[#L", b"SL", b"L\0\0\0\0\0\0\0\1",
    ),
    "lightgbm": (
        b"tree\n", b"version=v4\n", b"num_class=", b"Tree=0\n", b"num_leaves=", b"num_cat=",
        b"split_feature=",
        b"left_child=", b"right_child=", b"leaf_value=", b"cat_boundaries=", b"cat_threshold=",
        b"is_linear=1\n",
        b"leaf_const=", b"num_features=", b"leaf_features=", b"leaf_coeff=", b"shrinkage=",
        b"end of trees\n\n",
        b"feature_importances:\n", b"parameters:\n", b"end of parameters\n", b"parser:",
        b"[num_threads: 1]\n",
        b"objective=", b"multiclass num_class:2", b"average_output\n", b"monotone_constraints=", b"nan",
        b"inf",
        b"1e-310", b"2147483648", b"none",
    ),
    "catboost": (
        b"CBM1", b"FlabuffersModel_v1", b"static_provider_v1", b"text_process_v2\0", b"embed_process_1\0",
        b"EmbedCalcerV1\0\0\0", b"TokenizerV1\0", b"DictionaryV1\0", b"MMapDictionary\0",
        b"FeatureCalcerV1\0",
        b"params", b"training", b"class_params", b'{"class_names":[0,1]}', b"\xff\xff\xff\xff", b"\4\0",
        b"\x08\0\0\0",
    ),
    "policy": (
        b"trusted", b"plugins", b"=", b"[", b"]", b'"a.b.C"', b'"pkg.*"', b'"*"', b'"a.b:c"', b"'''", b'"""',
        b"{", b"}",
        b"[[trusted]]", b"[trusted]", b"1979-05-27T07:32:00Z", b"0x", b"0b1", b"1e5", b"nan", b"true",
        b"\\u0041",
        b"\\U0010ffff", b"#", b"\n", b".", b",",
    ),
    "name": (
        b":", b".", b"os", b"system", b"a.b", b"A", b"_", b"\xc3\xa9", b"\xc2\xb2", b"\xed\xa0\x80",
        b"*", b"\x1b", b"\n",
    ),
}  # fmt: skip
WORDS["machine"] = WORDS["pickles"]
WORDS["streams"] = (
    *WORDS["pickles"],
    *WORDS["container"],
    b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n",
    b"cnumpy\ndtype\n",
    b"\x1f\x8b\x08\0",
    b"x\x9c",
    b"ZF0x",
    b"BZh9",
    b"\xfd7zXZ\0",
    b"\x04\x22\x4d\x18",
    b"7z\xbc\xaf\x27\x1c",
    b"ustar\x0000",
    b"\0" * 512,
    b"'|O'",
    b"|O",
    b"V8",
    b"f8",
)
