"""Parameters that xgboost stores as texts: which there are, and what their values look like.

xgboost hands the texts to ``std::stoi`` and its like, to regular expressions and to its JSON reader; these
forms mean the same to all of them. The names are those of the releases 1.6 to 3.4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from skopsafe.handlers.checks import require

OLDEST = (1, 6)
"""The release since which a model is serialized as UBJSON."""
ENDS = (2, 0)
"""The release since which a model says where its iterations end."""
TREES_DROP = (3, 3)
"""The release since which ``gbtree`` does what ``dart`` did before, and a generator has its state stored."""

_NUMBER = r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][-+]?[0-9]{1,3})?|-?inf|-?nan|-?NaN|-?Infinity"
_FLOAT = r"-?[0-9]{1,20}(\.[0-9]{1,20})?(E-?[0-9]{1,2})?"
NUMBER = re.compile(_NUMBER)
WORD = re.compile(r"[a-z_0-9:.,@-]{0,200}")
FLAG = re.compile(r"[01]")
COUNT = re.compile(r"0|[1-9][0-9]{0,9}")
FLOATS = re.compile(rf"{_FLOAT}|\[{_FLOAT}(,{_FLOAT})*\]")
_LARGE = re.compile(r"0|[1-9][0-9]{0,19}")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_SIGNS = re.compile(r"\(?[-01, ]*\)?")
_GROUPS = re.compile(r"[\[\]0-9, ]*")
_GENERATOR = re.compile(r"[0-9a-f]{1,10}( [0-9a-f]{1,10}){623,624} ?")
_DEVICE = re.compile(r"(cpu|(cuda|gpu)(:[0-9]{1,4})?|sycl(:cpu|:gpu)?(:-1|:[0-9]{1,4})?)")

Form = Mapping[str, "re.Pattern[str]"]

_RATES = dict.fromkeys(("alpha", "eta", "lambda", "learning_rate", "reg_alpha", "reg_lambda"), NUMBER)

OBJECTIVE_PARAMS: dict[str, Form] = {
    "aft_loss_param": {"aft_loss_distribution": WORD, "aft_loss_distribution_scale": NUMBER},
    "expectile_loss_param": {"expectile_alpha": FLOATS},
    "lambda_rank_param": {"fix_list_weight": NUMBER, "num_pairsample": COUNT},
    "lambdarank_param": {
        "lambdarank_bias_norm": NUMBER,
        "lambdarank_normalization": FLAG,
        "lambdarank_num_pair_per_sample": COUNT,
        "lambdarank_pair_method": WORD,
        "lambdarank_score_normalization": FLAG,
        "lambdarank_unbiased": FLAG,
        "ndcg_exp_gain": FLAG,
    },
    "poisson_regression_param": {"max_delta_step": NUMBER},
    "pseduo_huber_param": {"huber_slope": NUMBER},
    "pseudo_huber_param": {"huber_slope": NUMBER},
    "quantile_loss_param": {"quantile_alpha": FLOATS},
    "reg_loss_param": {"scale_pos_weight": NUMBER},
    "softmax_multiclass_param": {"num_class": COUNT},
    "tweedie_regression_param": {"tweedie_variance_power": NUMBER},
}
"""Parameters of objectives, and of metrics that share them; two have another name before 2.0 and 1.7."""

OBJECTIVES: dict[str, tuple[str, ...]] = {
    "binary:hinge": (),
    "binary:logistic": ("reg_loss_param",),
    "binary:logitraw": ("reg_loss_param",),
    "count:poisson": ("poisson_regression_param",),
    "multi:softmax": ("softmax_multiclass_param",),
    "multi:softprob": ("softmax_multiclass_param",),
    "rank:map": ("lambdarank_param", "lambda_rank_param"),
    "rank:ndcg": ("lambdarank_param", "lambda_rank_param"),
    "rank:pairwise": ("lambdarank_param", "lambda_rank_param"),
    "reg:absoluteerror": (),
    "reg:expectileerror": ("expectile_loss_param",),
    "reg:gamma": ("reg_loss_param",),
    "reg:linear": ("reg_loss_param",),
    "reg:logistic": ("reg_loss_param",),
    "reg:pseudohubererror": ("pseudo_huber_param", "pseduo_huber_param"),
    "reg:quantileerror": ("quantile_loss_param",),
    "reg:squarederror": ("reg_loss_param",),
    "reg:squaredlogerror": ("reg_loss_param",),
    "reg:tweedie": ("tweedie_regression_param",),
    "survival:aft": ("aft_loss_param",),
    "survival:cox": (),
}
"""Objectives, and which parameters they have."""

GENERIC: Form = {
    "device": _DEVICE,
    "fail_on_invalid_gpu_id": FLAG,
    "n_jobs": _INTEGER,
    "nthread": _INTEGER,
    "random_state": _INTEGER,
    "rng_state": _GENERATOR,
    "seed": _INTEGER,
    "seed_per_iteration": FLAG,
    "validate_parameters": FLAG,
}

LEARNER_TRAIN: Form = {
    "booster": WORD,
    "disable_default_eval_metric": FLAG,
    "multi_strategy": WORD,
    "objective": WORD,
}

TREE_MODEL: Form = {"num_parallel_tree": COUNT, "num_trees": COUNT}
TREE_MODEL_BEFORE: Form = {**TREE_MODEL, "size_leaf_vector": re.compile("0")}

TREE_BOOSTER: dict[str, Form] = {
    "gbtree_train_param": {
        "process_type": re.compile("default"),
        "tree_method": WORD,
        "updater": WORD,
        "updater_seq": WORD,
    },
    "tree_train_param": {
        **_RATES,
        "cache_opt": FLAG,
        "colsample_bylevel": NUMBER,
        "colsample_bynode": NUMBER,
        "colsample_bytree": NUMBER,
        "gamma": NUMBER,
        "grow_policy": WORD,
        "interaction_constraints": _GROUPS,
        "max_bin": COUNT,
        "max_cat_threshold": COUNT,
        "max_cat_to_onehot": COUNT,
        "max_delta_step": NUMBER,
        "max_depth": COUNT,
        "max_leaves": COUNT,
        "min_child_weight": NUMBER,
        "min_split_loss": NUMBER,
        "monotone_constraints": _SIGNS,
        "refresh_leaf": FLAG,
        "sampling_method": WORD,
        "sketch_ratio": NUMBER,
        "sparse_threshold": NUMBER,
        "subsample": NUMBER,
    },
}

DART: Form = {
    "normalize_type": WORD,
    "one_drop": FLAG,
    "rate_drop": NUMBER,
    "sample_type": WORD,
    "skip_drop": NUMBER,
}

LINEAR: Form = {"max_row_perbatch": _LARGE, "tolerance": NUMBER, "updater": WORD}

UPDATERS: dict[str, Form] = {
    "colmaker_train_param": {"default_direction": WORD, "opt_dense_col": NUMBER},
    "coordinate_param": {"top_k": _LARGE},
    "hist_train_param": {
        "debug_synchronize": FLAG,
        "extmem_single_page": FLAG,
        "max_cached_hist_node": _LARGE,
    },
    "linear_train_param": {**_RATES, "feature_selector": WORD},
}
"""Parameters of what grows trees or fits weights."""


def members(value: Any, required: set[str], where: str, optional: set[str] | None = None) -> dict[str, Any]:
    """Return an object that has these members and no others."""
    require(type(value) is dict, "not an object", where)
    found = value.keys()
    if found != required:
        for name in sorted(required - found):
            require(False, f"{name!r} is missing", where)
        for name in sorted(found - required - (optional or set())):
            require(False, f"{name!r} is unknown to this version of skopsafe", where)
    return dict(value)


def texts(value: Any, form: Form, where: str) -> dict[str, str]:
    """Return parameters, each of which has the form that its name asks for; some may be missing."""
    require(type(value) is dict, "not an object", where)
    for name, text in value.items():
        pattern = form.get(name)
        if pattern is None:
            require(False, f"{name!r} is unknown to this version of skopsafe", where)
        elif not (isinstance(text, str) and pattern.fullmatch(text)):
            require(False, "not a value of this parameter", f"{where}.{name}")
    return dict(value)


def is_text(value: Any, text: str) -> bool:
    """Tell whether a value is a text, and that one: an array in its place compares item by item."""
    return isinstance(value, str) and value == text


def floats(text: str) -> list[float]:
    """Return the numbers of an array parameter, which is one number or a list of them."""
    return [float(part) for part in text.strip("[]").split(",")]
