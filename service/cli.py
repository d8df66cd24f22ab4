"""The command line: `flowdelta`, also `python -m service`. Results go to stdout, all else to stderr.

Heavy modules are imported by the command that needs them, so that `--help` starts at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from service.exits import BadInput, Exit
from service.garbage import look_no_more

if TYPE_CHECKING:
    from service.settings import Settings

VERSION = "0.1.0"
FORMATS = ("text", "json", "markdown", "csv", "dot", "html", "sarif", "codequality")
SCOPES = ("read", "analyse", "signoff", "admin")


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
        click.option("--cluster", metavar="NAME", help="Of several clusters in the repository only this one; '' is what names none."),
        click.option(
            "--inventory",
            "inventories",
            multiple=True,
            metavar="[CLUSTER=]FILE",
            help="Judge beside what runs: a snapshot, as `flowdelta inventory` or `kubectl get … -A -o json` writes it; repeatable.",
        ),
        click.option("--no-cache", is_flag=True, help="Remember nothing between runs."),
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
    from service.local import analysing
    from service.local.options import Shared

    sys.exit(analysing.matrix(path, Shared(**shared)))


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
    from service.local.options import Shared

    if repo is None and (subdir or merge):
        raise click.UsageError("--path and --merge need --repo")
    options = Shared(**shared)
    if repo is None:
        from service.local import analysing

        sys.exit(analysing.diff_folders(Path(base), Path(head), options, exit_code))
    from service.local.comparing import diff_revisions

    sys.exit(diff_revisions(repo, base, head, subdir, merge, options, exit_code))


@cli.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("source")
@click.argument("destination")
@click.option("--port", metavar="PORT", help="Ask about one port: 8080/TCP, 53/UDP.")
@_analysis_options
def explain(path: Path, source: str, destination: str, port: str | None, **shared: Any) -> None:
    """Why SOURCE can or cannot reach DESTINATION: each is an endpoint such as shop/web[Deployment], or an address."""
    from service.local import analysing
    from service.local.options import Shared

    sys.exit(analysing.explain(path, source, destination, port, Shared(**shared)))


@cli.command()
@click.argument("path", type=click.Path(path_type=Path), default=".")
@click.option("--strict", is_flag=True, help="Exit 2 when something could not be rendered.")
def units(path: Path, strict: bool) -> None:
    """What of a folder would be read and rendered, for which cluster, and why. Nothing is rendered."""
    from service import planning

    sys.exit(planning.units(path, strict))


@cli.command()
@click.option("--context", metavar="NAME", help="Of the kubeconfig; its current one where it is left out.")
@click.option("--kubeconfig", type=click.Path(path_type=Path), help="In place of KUBECONFIG, ~/.kube/config, or the account of this pod.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the snapshot to a file instead of stdout.")
def inventory(context: str | None, kubeconfig: Path | None, output: Path | None) -> None:
    """A snapshot of what runs in a live cluster, for --inventory or for an upload. It only lists, and never a Secret."""
    from service import live

    sys.exit(live.inventory(context, kubeconfig, output))


@cli.group()
def config() -> None:
    """The configuration that a repository carries, `.flowdelta.yaml`."""


@config.command("check")
@click.argument("path", type=click.Path(path_type=Path), default=".")
def config_check(path: Path) -> None:
    """Say what the configuration of a folder (or a file by itself) holds, or the line where it is wrong."""
    from service import planning

    sys.exit(planning.check(path))


def _comparison_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What `guardrails check` and `guardrails explain` share."""
    options = (
        click.argument("base"),
        click.argument("head"),
        click.option("--repo", type=click.Path(path_type=Path), help="BASE and HEAD are revisions of this git repository (bare or not)."),
        click.option("--path", "subdir", default="", metavar="SUBDIR", help="With --repo: only this folder of the repository."),
        click.option("--merge", is_flag=True, help="With --repo: compare BASE with HEAD merged into it, as a pull request would be."),
        click.option(
            "--guardrails",
            "organisation",
            type=click.Path(dir_okay=False, path_type=Path),
            help="Guardrails of the organisation, which hold beside those of BASE.",
        ),
        click.option("--stricter", is_flag=True, help="Hold a change of the guardrails to those of both sides."),
        click.option("--host-network", type=click.Choice(["node", "pod"]), default="node", help="As for `flowdelta diff`."),
        click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", show_default=True),
    )
    for option in reversed(options):
        command = option(command)
    return command


@cli.group()
def guardrails() -> None:
    """The guardrails of `.flowdelta.yaml`: what they ask of a change, and why."""


@guardrails.command("check")
@_comparison_options
def guardrails_check(format_name: str, **options: Any) -> None:
    """What the guardrails of BASE ask of the change to HEAD: two folders, or with --repo two revisions of a git repository.

    Exit codes: 0 nothing is asked; 1 something waits for sign-off or is blocked; 2 bad input, or an incomplete analysis.
    """
    from service import guardrails as run

    sys.exit(run.check(run.Comparison(**_compared(options)), format_name))


@guardrails.command("explain")
@click.argument("name")
@_comparison_options
def guardrails_explain(name: str, format_name: str, **options: Any) -> None:
    """Why the guardrail or invariant NAME matches the change from BASE to HEAD or does not, condition by condition."""
    from service import guardrails as run

    sys.exit(run.explain(run.Comparison(**_compared(options)), name, format_name))


def _compared(options: dict[str, Any]) -> dict[str, Any]:
    if options["repo"] is None and (options["subdir"] or options["merge"]):
        raise click.UsageError("--path and --merge need --repo")
    return options


@cli.group()
def audit() -> None:
    """The audit log of sign-off, in the database that the settings name."""


@audit.command("verify")
@click.option("--expect", "expected", multiple=True, metavar="HASH", help="A hash that a check showed and the log must hold.")
def audit_verify(expected: tuple[str, ...]) -> None:
    """Say whether the log is as it was written: 0 it is, 1 it was edited, cut or reordered. A cut end shows with --expect alone."""
    from service import auditing

    sys.exit(auditing.check(_settings(), expected))


@audit.command("export")
@click.option("--format", "format_name", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
def audit_export(format_name: str) -> None:
    """Write every row to stdout."""
    from service import auditing

    sys.exit(auditing.export(_settings(), format_name))


@audit.command("show")
@click.argument("number", type=click.IntRange(1))
@click.option("--replay", is_flag=True, help="Make the decision again from its record; exit 1 where it comes out otherwise.")
def audit_show(number: int, replay: bool) -> None:
    """Show row NUMBER with all that it holds."""
    from service import auditing

    sys.exit(auditing.show(_settings(), number, replay))


class _WithSettings(click.Command):
    """A command whose help ends with the table of settings."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from service.settings import documentation

        formatter.write_paragraph()
        formatter.write(documentation())


@cli.command(cls=_WithSettings)
@click.option("--no-worker", is_flag=True, help="Only answer requests; a `flowdelta worker` does the reviews.")
def serve(no_worker: bool) -> None:
    """The web service, with its worker inside. Settings come from the environment, or from a file that FLOWDELTA_SETTINGS names."""
    from service.serve import serve as run

    run(_settings(connected=True), worker=not no_worker)


@cli.command(cls=_WithSettings)
def worker() -> None:
    """A worker alone, beside one or more web services that share its database."""
    from service.serve import worker as run

    run(_settings(connected=True))


_CI_NOTES = """
\b
The job's environment says where to look:
  GitHub Actions          pull_request, pull_request_target and merge_group
  Gitea, Forgejo Actions  pull_request and pull_request_target
  GitLab CI               pipelines of merge requests
\b
The token is
  on GitHub, Gitea, Forgejo  FLOWDELTA_GITHUB_TOKEN (…_GITEA_TOKEN, …_FORGEJO_TOKEN), else INPUT_TOKEN, else GITHUB_TOKEN
  on GitLab                  FLOWDELTA_GITLAB_TOKEN; without one nothing is written to the merge request
\b
A token that may not write does not fail the job: the report is on stdout and on the job's page, and stderr says what was not written.
A job of another event, such as a push, has nothing to review and ends with 0.
\b
Exit codes: 0 reviewed and the check is green, or nothing to review; 1 flows change, with --exit-code; 2 the check is not green (not
analysed, not wholly analysed, a merge conflict, a guardrail that is not satisfied), or the environment does not suffice; 3 an internal
error.
\b
Settings of the service hold here too (FLOWDELTA_ANALYSIS_TIMEOUT, …) but for those of the database and of what is served. With
FLOWDELTA_DATA_DIR, fetched repositories and parsed files are kept there for the next job.
"""


@cli.command(epilog=_CI_NOTES)
@click.option("--path", default="", metavar="SUBDIR", help="Compare only this folder of the repository.")
@click.option(
    "--host-network", type=click.Choice(["node", "pod"]), help="As for `flowdelta diff`.  [default: FLOWDELTA_HOST_NETWORK, or node]"
)
@click.option("--exit-code", is_flag=True, help="Exit 1 when flows change.")
@click.option("--app", default="github-actions", show_default=True, metavar="SLUG", help="GitHub App that a token ghs_… was made by.")
@click.option("--json", "json", type=click.Path(dir_okay=False, path_type=Path), help="Write the report as JSON to this file too.")
def ci(path: str, host_network: str | None, exit_code: bool, app: str, json: Path | None) -> None:
    """Review the pull request that this CI job is of, and write the comment and the check."""
    from service.ci.running import Options
    from service.ci.running import ci as run

    sys.exit(run(Options(path, host_network, exit_code, app, json)))


@cli.group()
def token() -> None:
    """Tokens of the API: make, list and revoke them in the database that the settings name."""


@token.command("create")
@click.option("--name", required=True, help="What the token is for; the list shows it.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(SCOPES),
    help="What it may do; repeatable. `admin` may do everything.",
)
@click.option("--expires", metavar="DURATION", help="When it ends by itself: 12h, 90d, 8w, 1y.  [default: never]")
@click.option("--account", metavar="FORGE:ID:NAME", help="Account of a forge that it signs off for, by the number that the forge gave it.")
def token_create(name: str, scopes: tuple[str, ...], expires: str | None, account: str | None) -> None:
    """Make a token and print it, this once: only a digest of it is kept."""
    from service import granting

    sys.exit(granting.create(_settings(), name, scopes, expires, account))


@token.command("list")
def token_list() -> None:
    """List the tokens: what they are for and may do, never the tokens themselves."""
    from service import granting

    sys.exit(granting.show(_settings()))


@token.command("revoke")
@click.argument("id")
def token_revoke(id: str) -> None:
    """Take back the token with this id; it is refused from the next request on."""
    from service import granting

    sys.exit(granting.revoke(_settings(), id))


@cli.command()
def demo() -> None:
    """Play a signed pull-request webhook against a sample repository and show the comment."""
    from service.demo import DemoError
    from service.demo import demo as play

    try:
        play()
    except DemoError as error:
        raise BadInput(str(error)) from error


def _settings(*, connected: bool = False) -> Settings:
    """The settings of the environment; with `connected`, their keys and secrets are tried as well, before anything starts."""
    from service.settings import Settings, SettingsError

    try:
        settings = Settings.from_environment()
        if connected:
            from service.forges import connect

            connect(settings)
    except SettingsError as error:
        raise BadInput(str(error)) from error
    return settings


def main() -> None:
    """Run the command line and exit."""
    try:
        cli(prog_name="flowdelta")
    except SystemExit:
        raise
    except Exception:
        import traceback

        traceback.print_exc()
        click.echo("flowdelta: internal error: this is a bug of Flowdelta, not of your manifests", err=True)
        sys.exit(Exit.INTERNAL)
    finally:
        look_no_more()
