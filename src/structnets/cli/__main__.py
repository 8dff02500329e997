"""``python -m structnets.cli``, which torchrun starts in every process."""

import sys

from structnets.cli import main

if __name__ == "__main__":
    sys.exit(main())
