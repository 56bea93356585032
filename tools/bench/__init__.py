"""Figures with their goals: `make bench`. One file a case; each measures its peer or limit in the same run."""
