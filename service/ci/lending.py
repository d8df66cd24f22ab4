"""What a job lends to its review: settings, and the forge with the job's token."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from service.ci.job import Job
from service.exits import BadInput
from service.forges import Connected
from service.forges.port import Forge
from service.settings import PREFIX, Kind, Settings, SettingsError

# What waits for a job is a person. It says little beside its report, and gives up where a service would go on.
_DEFAULTS = {"LOG_LEVEL": "ERROR", "RETRY_ATTEMPTS": "5", "RETRY_LONGEST": "120", "ALLOW_FORKS": "true"}
# What a job says by itself, and what only a service has.
_REFUSED = ("FORGES", "DATABASE_URL", "DATABASE_URL_FILE", "PUBLIC_URL")
_REFUSED_OF_FORGE = ("REPOSITORIES", "APP_ID", "APP_KEY", "APP_KEY_FILE")
_INSTALLATION = "ghs_"  # what the tokens of installations begin with, those of jobs among them


def settings_of(job: Job, environ: Mapping[str, str], folder: str, host_network: str | None) -> Settings:
    """The settings of a job: what it says and what suits one, below what is set by hand. A variable that is set to nothing is not set:
    that is how a secret looks where a job may not have it. Raises `BadInput`."""
    own = f"{PREFIX}{job.kind.upper()}_"
    given = {name: value for name, value in environ.items() if name.startswith(PREFIX) and value}
    for name in (*(PREFIX + each for each in _REFUSED), *(own + each for each in _REFUSED_OF_FORGE)):
        if name in given:
            raise BadInput(f"{name}: is not for `flowdelta ci`, which serves one repository, with the job's token, and keeps nothing")
    derived = {PREFIX + name: value for name, value in {**_DEFAULTS, "DATA_DIR": folder}.items()}
    derived |= {f"{own}API_URL": job.api_url, f"{own}GIT_URL": job.git_url}
    if f"{own}TOKEN_FILE" not in given:
        derived[f"{own}TOKEN"] = job.token.reveal()
    # No webhook ever comes here, so nobody needs to know what would sign one.
    fixed = {f"{PREFIX}FORGES": job.kind.value, f"{own}REPOSITORIES": job.repository, f"{own}WEBHOOK_SECRET": secrets.token_hex(32)}
    if host_network is not None:
        fixed[f"{PREFIX}HOST_NETWORK"] = host_network
    given.pop(f"{own}WEBHOOK_SECRET_FILE", None)
    try:
        return Settings.from_environment({**derived, **given, **fixed})
    except SettingsError as error:
        raise BadInput(str(error)) from error


def forge_of(job: Job, known: Connected, settings: Settings, app: str) -> Forge:
    """The forge, asked with what the job has. `app` is the slug of the App that a token of an installation belongs to."""
    if job.told is not None:
        from service.ci.pipelines import Unasked

        return Unasked(known.settings, settings, job.told)
    if job.kind is not Kind.GITHUB or not known.settings.token.reveal().startswith(_INSTALLATION):
        return known.forge
    from service.forges.github import GitHub
    from service.forges.github_access import Api, InstallationAccess

    api = Api(known.settings.api_url, settings.forge_timeout, settings.write_interval)
    return GitHub(InstallationAccess(api, known.settings.token, app), known.settings.git_url, context=settings.status_context)
