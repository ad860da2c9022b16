"""Names by which files know types that move between modules from release to release."""

from __future__ import annotations

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

ALIASES = {
    "numpy.ma.core:MaskedArray": "numpy.ma:MaskedArray",
    "numpy.matrixlib.defmatrix:matrix": "numpy:matrix",
    "numpy.rec:recarray": "numpy:recarray",
    "numpy.random.mtrand:RandomState": "numpy.random:RandomState",
    "numpy.random._generator:Generator": "numpy.random:Generator",
    "numpy.random.bit_generator:SeedSequence": "numpy.random:SeedSequence",
    "numpy:memmap": "numpy:ndarray",
    "dateutil.tz.tz:tzfile": "dateutil.tz:tzfile",
    "dateutil.tz._tzfile:tzfile": "dateutil.tz:tzfile",
    **pandas_names.ALIASES,
    # Before scikit-learn 1.9 the compiled losses claim a module of their own.
    **{f"_loss:{name}": f"sklearn._loss._loss:{name}" for name in LOSSES},
    "pathlib._local:PurePosixPath": "pathlib:PurePosixPath",
    "pathlib._local:PureWindowsPath": "pathlib:PureWindowsPath",
    "pathlib._local:PosixPath": "pathlib:PosixPath",
    "pathlib._local:WindowsPath": "pathlib:WindowsPath",
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
"""Where a type really lives in some release, and the name that files use for it."""
