"""``python -m skopsafe``: the same commands as ``skopsafe``."""

from skopsafe.cli import main

if __name__ == "__main__":
    main(prog_name="skopsafe")
