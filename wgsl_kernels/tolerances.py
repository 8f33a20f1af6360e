"""The tolerances that rows of more than one file share, with their reasons."""

from .catalog import Tolerance

SUM = "a sum in f32: error grows as sqrt(terms) * 2^-24 of its size"
ROUNDING = Tolerance(5e-7, 7e-4, "one or two roundings at 2^-24; f16 output rounds at 2^-11")
EXACT = Tolerance(0.0, 0.0, "moves values and does no arithmetic")
SOFTMAX = Tolerance(
    2e-5, 7e-4,
    "scores of up to 40 carry 2^-24 of their size, as absolute error, into exp; exp is good to 3 + 2|x| ulp; "
    "f16 output rounds at 2^-11",
)  # fmt: skip
