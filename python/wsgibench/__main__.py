import sys

from wsgibench.cli import main

if __name__ == "__main__":
    sys.exit(main())
