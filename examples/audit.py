"""For those who decide what may be deployed: look at a file without running anything in it.

Run as ``python examples/audit.py FOLDER`` after ``save.py``. Needs neither pandas nor scikit-learn.
"""

# %% The audit lists every name that loading can import, with its tier and the reason.
import json
import sys
from pathlib import Path

import skopsafe

path = Path(sys.argv[1]) / "tickets.skops"
report = skopsafe.audit(path)
print(report)

# %% None of it was imported: the verdict comes from the file's table of names and from reviewed tables.
print("scikit-learn was imported:", "sklearn" in sys.modules)

# %% The same as JSON, to keep with the model. ``skopsafe audit --json FILE`` prints it too.
record = Path(sys.argv[1]) / "tickets.audit.json"
record.write_text(json.dumps(report.to_dict(), indent=2))

# %% A gate: names that your organization reviewed itself go here; the denied ones can never pass.
APPROVED: set[str] = set()
missing = [name for name in report.untrusted if name not in APPROVED]
if missing or report.denied:
    sys.exit(f"not deployed; to review: {', '.join(missing)}")
print("may be deployed")
