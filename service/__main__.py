"""The `flowdelta` command; as `python -m service` without installing anything."""

from __future__ import annotations

from service.garbage import look_seldom


def main() -> None:
    """Run the command line and exit."""
    look_seldom()
    from service.cli import main as run  # imported here: loading modules is most of what a short command does

    run()


if __name__ == "__main__":
    main()
