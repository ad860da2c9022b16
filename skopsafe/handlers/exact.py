"""Exact numbers of the standard library: fractions and decimals."""

from __future__ import annotations

import decimal
import fractions
from typing import Any

from skopsafe.graph.parts import Context, Handler, Parts
from skopsafe.handlers.checks import require

Names = tuple[str, ...] | None


def _load_fraction(_: Names, values: list[Any], context: Context) -> Any:
    require(
        len(values) == 2 and all(type(v) is int for v in values) and values[1] > 0, "not a ratio", "Fraction"
    )
    # Reducing it takes quadratic time, each time that the same numbers are made one.
    bits = max(abs(v) for v in values).bit_length()
    require(bits < 2**18, "too long", "Fraction")
    context.account.spend((bits // 64) ** 2 // 16, "Fraction")
    return fractions.Fraction(*values)


def _get_decimal(obj: decimal.Decimal) -> Parts:
    sign, digits, exponent = obj.as_tuple()
    return Parts(None, [sign, "".join(map(str, digits)), exponent])


def _load_decimal(_: Names, values: list[Any], __: Context) -> Any:
    require(len(values) == 3 and isinstance(values[1], str) and values[1].isascii(), "malformed", "Decimal")
    require(values[2] in ("F", "n", "N") or type(values[2]) is int, "malformed exponent", "Decimal")
    # An int of it has as many digits as its exponent says.
    require(type(values[2]) is str or abs(values[2]) <= 10**7, "too large an exponent", "Decimal")
    require(len(values[1]) <= 10**7, "too many digits", "Decimal")
    require(
        type(values[0]) is int and values[0] in (0, 1) and (not values[1] or values[1].isdigit()),
        "malformed",
        "Decimal",
    )
    sign, digits, exponent = values
    # A text is far quicker than a tuple of digits.
    special = {"F": "Infinity", "n": f"NaN{digits}", "N": f"sNaN{digits}"}
    return decimal.Decimal("-" * sign + special.get(exponent, f"{digits or 0}E{exponent}"))


HANDLERS = (
    Handler("fractions:Fraction", lambda obj: Parts(None, [obj.numerator, obj.denominator]), _load_fraction),
    Handler("decimal:Decimal", _get_decimal, _load_decimal),
)
