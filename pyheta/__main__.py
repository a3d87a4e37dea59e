"""`python -m pyheta` is `pyheta`."""

from pyheta.cli import main

main()
