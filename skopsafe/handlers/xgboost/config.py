"""The configuration that a serialized booster has beside its model (``LearnerConfiguration::LoadConfig``).

It holds the parameters of training, and those of the context: a number of threads, at which OpenMP ends the
process when it is absurd, and a device, which a recursive regular expression reads.
"""

from __future__ import annotations

from typing import Any

from skopsafe.handlers.checks import MOST_THREADS, integer, require
from skopsafe.handlers.xgboost import document, params
from skopsafe.handlers.xgboost.params import members, texts

_HERE = "Booster.content.config"


def check(value: Any, facts: document.Facts, sizes: dict[str, str]) -> int:
    """Check a configuration and return its number of threads.

    Parameters
    ----------
    value : object
        The configuration.
    facts : Facts
        What the model turned out to be.
    sizes : dict of str to str
        ``learner_model_param`` of the model, which has been checked.
    """
    config = members(value, {"learner", "version"}, _HERE)
    same = document.version(config["version"], f"{_HERE}.version") == facts.version
    require(same, "not the version of the model", f"{_HERE}.version")
    required = {
        "generic_param",
        "gradient_booster",
        "learner_model_param",
        "learner_train_param",
        "metrics",
        "objective",
    }
    learner = members(config["learner"], required, _HERE)
    if facts.version < params.ENDS:
        return _threads_of_old(learner["generic_param"])
    where = f"{_HERE}.learner_model_param"
    found = members(learner["learner_model_param"], set(sizes), where)
    same = all(params.is_text(found[key], text) for key, text in sizes.items())
    require(same, "not those of the model", where)
    generic = texts(learner["generic_param"], params.GENERIC, f"{_HERE}.generic_param")
    _check_generator(generic, facts.version)
    for name in ("n_jobs", "nthread"):
        integer(int(generic.get(name, "0")), f"{_HERE}.generic_param.{name}", -MOST_THREADS, MOST_THREADS)
    train = texts(learner["learner_train_param"], params.LEARNER_TRAIN, f"{_HERE}.learner_train_param")
    require(train.get("objective") in params.OBJECTIVES, "unknown", f"{_HERE}.learner_train_param.objective")
    require(
        train.get("booster") == facts.booster, "not that of the model", f"{_HERE}.learner_train_param.booster"
    )
    n_classes, n_targets = int(sizes["num_class"]), int(sizes["num_target"])
    document.check_objective(learner["objective"], n_classes, n_targets, f"{_HERE}.objective")
    _check_metrics(learner["metrics"])
    _check_booster(learner["gradient_booster"], facts)
    return int(generic.get("nthread", "0"))


def _threads_of_old(generic: Any) -> int:
    """Return the number of threads out of a configuration that no supported release is given."""
    where = f"{_HERE}.generic_param"
    require(type(generic) is dict, "not an object", where)
    threads = texts({"nthread": generic.get("nthread", "0")}, params.GENERIC, where)["nthread"]
    return integer(int(threads), f"{where}.nthread", -MOST_THREADS, MOST_THREADS)


def _check_generator(generic: dict[str, str], version: tuple[int, int, int]) -> None:
    """Check the state of ``std::mt19937`` (``LoadRng`` of ``src/common/random.cc``)."""
    where = f"{_HERE}.generic_param.rng_state"
    require(("rng_state" in generic) == (version >= params.TREES_DROP), "not where it belongs", where)
    # From a state of zeros only zeros come, by which libraries of C++ may draw without end. The first word
    # counts by one bit; a word that starts so is no zero, by whichever base it is read.
    words = generic.get("rng_state", "0 1").split()[1:624]
    require(any("1" <= word[0] <= "9" for word in words), "nothing but zeros", where)


def _check_metrics(value: Any) -> None:
    where = f"{_HERE}.metrics"
    require(isinstance(value, list) and len(value) <= 1000, "not a list", where)
    for metric in value:
        found = members(metric, {"name"}, where, set(params.OBJECTIVE_PARAMS))
        texts({"name": found.pop("name")}, {"name": params.WORD}, where)
        for key, item in found.items():
            texts(item, params.OBJECTIVE_PARAMS[key], f"{where}.{key}")


def _check_booster(value: Any, facts: document.Facts) -> None:
    where = f"{_HERE}.gradient_booster"
    name = facts.booster
    if name == "dart":
        dart = members(value, {"dart_train_param", "gbtree", "name"}, where)
        texts(dart["dart_train_param"], params.DART, f"{where}.dart_train_param")
        require(params.is_text(dart["name"], "dart"), "not that of the model", f"{where}.name")
        value, name = dart["gbtree"], "gbtree"
    if name == "gblinear":
        linear = members(value, {"gblinear_train_param", "name", "updater"}, where)
        texts(linear["gblinear_train_param"], params.LINEAR, f"{where}.gblinear_train_param")
        updaters = [{"name": "", **members(linear["updater"], set(), where, set(params.UPDATERS))}]
        value = linear
    else:
        required = {"gbtree_model_param", "name", "specified_updater", "updater", *params.TREE_BOOSTER}
        if facts.version >= params.TREES_DROP:
            required.add("dart_train_param")
        value = members(value, required, where)
        texts(value.get("dart_train_param", {}), params.DART, f"{where}.dart_train_param")
        texts(value["gbtree_model_param"], params.TREE_MODEL, f"{where}.gbtree_model_param")
        for key, form in params.TREE_BOOSTER.items():
            texts(value[key], form, f"{where}.{key}")
        require(type(value["specified_updater"]) is bool, "not a flag", f"{where}.specified_updater")
        updaters = value["updater"]
        require(isinstance(updaters, list) and len(updaters) <= 100, "not a list", f"{where}.updater")
    require(params.is_text(value["name"], name), "not that of the model", f"{where}.name")
    for updater in updaters:
        found = members(updater, {"name"}, f"{where}.updater", set(params.UPDATERS))
        texts({"name": found.pop("name")}, {"name": params.WORD}, f"{where}.updater")
        for key, item in found.items():
            texts(item, params.UPDATERS[key], f"{where}.updater.{key}")
