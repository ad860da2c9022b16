"""What the probe puts into models, and what it calls."""

from __future__ import annotations

from typing import Any

MARK = "xQx"

HOSTILE: dict[str, Any] = {
    "path": f"/nowhere/{MARK}",
    "relative path": f"../{MARK}.pkl",
    "URL": f"http://127.0.0.1:9/{MARK}",
    "code": f"__import__('os').mkdir('/nowhere/{MARK}')",
    "percent": f"%n%s%(x)s%1000000000d{MARK}",
    "template": "{0.__class__.__init__.__globals__}{feature_name:>1000000000}" + MARK,
    "pattern": rf"(\w+\s?)+{MARK}",
    "pattern of a name": r"([a-z_]+)+\d",
    "markup": f"\"'><script>{MARK}</script>",
    "link": f"javascript:{MARK}",
    "escapes": f"\x1b[31m\x07\u202e{MARK}",
    "zone": f"datetime64[ns, dateutil//nowhere/{MARK}]",
    "long items": "S1000000000",
    "module": f"os.path.{MARK}",
    "private": "__init__.__globals__",
    "writer": "to_clipboard",
    "dumper": "dump",
    "setter": "set_params",
    "evaluator": "eval",
    "function": str.upper,
    "constructor": dict,
    "bound": "a b".split,
}
HOOKS: dict[str, Any] = {
    "memory": f"/nowhere/{MARK}",
    "_doc_link_module": "sklearn",
    "_doc_link_url_param_generator": dict,
    "__doc_link_template": f"javascript:{MARK}",
    "__sklearn_clone__": dict,
    "_repr_html_": str.upper,
    "_sk_visual_block_": dict,
    "_get_doc_link": dict,
    "_parameter_constraints": {},
    "_sklearn_auto_wrap_output_keys": {"transform"},
    "_sklearn_output_config": {"transform": f"{MARK}"},
    "_validate_params": dict,
    "_estimator_type": f"\x1b{MARK}",
    "_xp": dict,
    "callback": dict,
    f"a b{MARK}(_": 1,
}
METHODS = (
    "predict predict_proba predict_log_proba decision_function transform inverse_transform score_samples "
    "kneighbors apply staged_predict sample split fit_resample resample get_metadata_routing "
    "get_feature_names_out get_support"
)
