"""`python -m service`: the `flowdelta` command without installing anything."""

from service.cli import main

main()
