"""`python -m analysis` is `phonehome`."""

from analysis.cli import main

if __name__ == "__main__":
    main()
