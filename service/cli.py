"""The command line: `flowdelta`, also `python -m service`. Results go to stdout, all else to stderr.

Heavy modules are imported by the command that needs them, so that `--help` starts at once.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from service.exits import BadInput, Exit

if TYPE_CHECKING:
    from service.settings import Settings

VERSION = "0.1.0"
FORMATS = ("text", "json", "markdown", "csv", "dot")


def _analysis_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that `matrix`, `diff` and `explain` share."""
    options = (
        click.option(
            "--format", "format_name", type=click.Choice(FORMATS), default="text", show_default=True, help="How to print the result."
        ),
        click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the result to a file instead of stdout."),
        click.option(
            "--host-network",
            type=click.Choice(["node", "pod"]),
            default="node",
            show_default=True,
            help="Read hostNetwork pods as addresses of their node, or like any pod.",
        ),
        click.option("--namespace", "namespaces", multiple=True, metavar="NS", help="Show only rows with an end in NS; repeatable."),
        click.option("--no-cache", is_flag=True, help="Do not remember parsed files between runs."),
        click.option("--strict", is_flag=True, help="Exit 2 when the analysis is incomplete."),
        click.option("-q", "--quiet", is_flag=True, help="No diagnostics on stderr."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(VERSION, prog_name="flowdelta")
def cli() -> None:
    """What a change to Kubernetes network policy opens and closes."""


@cli.command()
@click.argument("path", type=click.Path(path_type=Path))
@_analysis_options
def matrix(path: Path, **shared: Any) -> None:
    """The reachability matrix of a folder of manifests."""
    from service import local

    sys.exit(local.matrix(path, local.Shared(**shared)))


@cli.command()
@click.argument("base")
@click.argument("head")
@click.option("--repo", type=click.Path(path_type=Path), help="BASE and HEAD are revisions of this git repository (bare or not).")
@click.option("--path", "subdir", default="", metavar="SUBDIR", help="With --repo: only this folder of the repository.")
@click.option("--merge", is_flag=True, help="With --repo: compare BASE with HEAD merged into it, as a pull request would be.")
@click.option("--exit-code", is_flag=True, help="Exit 1 when there are differences, 2 when there are none but the analysis is incomplete.")
@_analysis_options
def diff(base: str, head: str, repo: Path | None, subdir: str, merge: bool, exit_code: bool, **shared: Any) -> None:
    """What changes between two folders, or with --repo between two revisions of a git repository."""
    from service import local

    if repo is None and (subdir or merge):
        raise click.UsageError("--path and --merge need --repo")
    options = local.Shared(**shared)
    if repo is None:
        sys.exit(local.diff_folders(Path(base), Path(head), options, exit_code))
    sys.exit(local.diff_revisions(repo, base, head, subdir, merge, options, exit_code))


@cli.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("source")
@click.argument("destination")
@click.option("--port", metavar="PORT", help="Ask about one port: 8080/TCP, 53/UDP.")
@_analysis_options
def explain(path: Path, source: str, destination: str, port: str | None, **shared: Any) -> None:
    """Why SOURCE can or cannot reach DESTINATION: each is an endpoint such as shop/web[Deployment], or an address."""
    from service import local

    sys.exit(local.explain(path, source, destination, port, local.Shared(**shared)))


class _WithSettings(click.Command):
    """A command whose help ends with the table of settings."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from service.settings import documentation

        formatter.write_paragraph()
        formatter.write(documentation())


@cli.command(cls=_WithSettings)
@click.option("--no-worker", is_flag=True, help="Only answer requests; a `flowdelta worker` does the reviews.")
def serve(no_worker: bool) -> None:
    """The web service, with its worker inside. Settings come from the environment."""
    from service.serve import serve as run

    run(_settings(), worker=not no_worker)


@cli.command(cls=_WithSettings)
def worker() -> None:
    """A worker alone, beside one or more web services that share its data folder."""
    from service.serve import worker as run

    run(_settings())


@cli.command()
def demo() -> None:
    """Play a signed pull-request webhook against a sample repository and show the comment."""
    from service.demo import DemoError
    from service.demo import demo as play

    try:
        play()
    except DemoError as error:
        raise BadInput(str(error)) from error


def _settings() -> Settings:
    from service.settings import Settings, SettingsError

    try:
        return Settings.from_environment()
    except SettingsError as error:
        raise BadInput(str(error)) from error


def main() -> None:
    """Run the command line and exit."""
    try:
        cli(prog_name="flowdelta")
    except SystemExit:
        raise
    except Exception:
        traceback.print_exc()
        click.echo("flowdelta: internal error: this is a bug of Flowdelta, not of your manifests", err=True)
        sys.exit(Exit.INTERNAL)
