"""``python -m structnets``: the command of that name."""

import sys

from structnets.cli import main

if __name__ == "__main__":
    sys.exit(main())
