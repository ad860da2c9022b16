"""Names by which files know types that move between modules from release to release."""

from __future__ import annotations

from skopsafe import names
from skopsafe.handlers import pandas_names

LOSSES = (
    "CyHalfSquaredError",
    "CyAbsoluteError",
    "CyPinballLoss",
    "CyHuberLoss",
    "CyHalfPoissonLoss",
    "CyHalfGammaLoss",
    "CyHalfTweedieLoss",
    "CyHalfTweedieLossIdentity",
    "CyHalfBinomialLoss",
    "CyExponentialLoss",
    "CyHalfMultinomialLoss",
)

RENAMED = {
    "numpy.ma.core:MaskedArray": "numpy.ma:MaskedArray",
    "numpy.matrixlib.defmatrix:matrix": "numpy:matrix",
    "numpy.rec:recarray": "numpy:recarray",
    "numpy.random.mtrand:RandomState": "numpy.random:RandomState",
    "numpy.random._generator:Generator": "numpy.random:Generator",
    "numpy.random.bit_generator:SeedSequence": "numpy.random:SeedSequence",
    "dateutil.tz.tz:tzfile": "dateutil.tz:tzfile",
    "dateutil.tz._tzfile:tzfile": "dateutil.tz:tzfile",
    **pandas_names.RENAMED,
    # Before scikit-learn 1.9 the compiled losses claim a module of their own.
    **{f"_loss:{name}": f"sklearn._loss._loss:{name}" for name in LOSSES},
    "pathlib._local:PurePosixPath": "pathlib:PurePosixPath",
    "pathlib._local:PureWindowsPath": "pathlib:PureWindowsPath",
    "pathlib._local:PosixPath": "pathlib:PosixPath",
    "pathlib._local:WindowsPath": "pathlib:WindowsPath",
}
"""Where a class really lives in some release, and the name that files use for it."""

SPELLED = {names.spell(name): names.spell(known) for name, known in RENAMED.items()}
"""The same as people write it, in ``trusted=[...]``."""

ALIASES = {
    **RENAMED,
    **pandas_names.KEPT_AS,
    "numpy:memmap": "numpy:ndarray",
    **{
        f"numpy.random.{module}:{name}": "numpy.random:BitGenerator"
        for module, name in (
            ("_mt19937", "MT19937"),
            ("_pcg64", "PCG64"),
            ("_pcg64", "PCG64DXSM"),
            ("_philox", "Philox"),
            ("_sfc64", "SFC64"),
        )
    },
}
"""The same, and classes whose instances are kept as those of another one. The class itself is not that."""
