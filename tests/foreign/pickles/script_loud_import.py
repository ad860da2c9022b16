"""A module whose import has an effect."""

from tests.foreign.pickles.script_effects import LOG

LOG.append("imported")
name = 1
