"""Sign-off through the API: where it stands, saying yes or no, and the audit log."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping

from flask import Response, g

from service.forges import Connected
from service.forges.port import Account
from service.review.consent import Consent, Refused, Saying
from service.review.ledger import Ledger
from service.settings import Settings
from service.signoff.approvals import Verb, Way
from service.signoff.exporting import row_json
from service.signoff.wording import DIGEST_LENGTH
from service.store import Review, Scope, Store, TokenAccount
from service.web.failures import explained
from service.web.models import Approval, AuditQuery
from service.web.operations import Answer, Operation, Routes
from service.web.problems import Problem
from service.web.shown import Analysis, AuditRow, AuditRows, GuardrailStanding, SignOff, respond

_ID = re.compile(r"[0-9a-f]{16}")
_TAG = "Sign-off"


def add(routes: Routes, settings: Settings, store: Store, connected: Mapping[str, Connected], wake: Callable[[], None]) -> None:
    """Declare the routes. `wake` tells the worker of this process, if there is one."""

    @routes.add(
        Operation(
            "POST",
            "/api/v1/analyses/<id>/approvals",
            "Approve, reject or revoke for the account of the token",
            {202: Answer("The analysis that decides with it.", Analysis, headers={"Location": "Where it is."})},
            (Scope.SIGNOFF,),
            body=Approval,
            problems=(404, 409, 422, 502),
            parameters={"id": "The analysis."},
            tag=_TAG,
        )
    )
    def approvals(id: str, body: Approval) -> Response:
        review = known(store, id)
        account, number = _account(review), review.number
        served = connected.get(review.forge)
        if number is None or served is None or served.settings.repository(review.repository) is None:
            raise Problem(409, "not-served", "The analysis is of no pull request that is served.")
        consent = Consent(settings, store, served.forge, review.forge, review.repository)
        said = Saying(Verb(body.verb), Way.API, Account(account.id, account.name), body.guardrail, body.digest, body.reason)
        with explained():
            try:
                consent.say(number, said, f"api:{g.token.id}:{secrets.token_hex(8)}")
            except Refused as refused:
                raise Problem(422, "refused", str(refused)) from None
        fresh = store.review(store.request(review.forge, review.repository, str(number), f"api {body.verb}").id)
        assert fresh is not None
        wake()
        return respond(Analysis.of(fresh), 202, Location=f"/api/v1/analyses/{fresh.id}")

    @routes.add(
        Operation(
            "GET",
            "/api/v1/audit",
            "The audit log of sign-off, oldest first",
            {200: Answer("A part of it.", AuditRows)},
            (Scope.ADMIN,),
            AuditQuery,
            tag=_TAG,
        )
    )
    def audit(query: AuditQuery) -> Response:
        found = store.audit_page(query.after, query.limit + 1)
        page = found[: query.limit]
        items = [AuditRow(**row_json(row)) for row in page]
        return respond(AuditRows(items=items, next=page[-1].number if len(found) > len(page) else None))


def known(store: Store, id: str) -> Review:
    """The analysis of an id. Raises `Problem`."""
    review = store.review(id) if _ID.fullmatch(id) else None
    if review is None:
        raise Problem(404, "unknown-analysis", "There is no such analysis.")
    return review


def signed_off(store: Store, review: Review) -> SignOff | None:
    """What was decided last about the commit of an analysis."""
    if review.number is None or review.head_sha is None:
        return None
    decisions = reversed(Ledger(store, review.forge, review.repository, review.number).decisions())
    entry = next((each for each in decisions if each["commit"] == review.head_sha), None)
    if entry is None:
        return None
    return SignOff(
        standing=entry["decision"]["standing"],
        guardrails=[
            GuardrailStanding(
                name=ruling["guardrail"],
                standing=ruling["standing"],
                why=ruling["why"],
                digest=ruling["flows"][:DIGEST_LENGTH] or None,
                missing=sum(each["missing"] for each in ruling["signatures"]),
            )
            for ruling in entry["decision"]["rulings"]
        ],
    )


def _account(review: Review) -> TokenAccount:
    """Whom the token speaks for: an account of the forge that the analysis is of."""
    account: TokenAccount | None = g.token.account
    if account is None or account.forge != review.forge:
        raise Problem(403, "no-account", "The token speaks for no account of this forge; make it with token create --account.")
    return account
