"""`python -m config.local up`: the whole platform on this machine."""

import sys

from config.local.up import up

if __name__ == "__main__":
    if sys.argv[1:] != ["up"]:
        sys.exit("usage: python -m config.local up")
    sys.exit(up())
