"""The policy section as typed rules, with the digest that binds plans to them."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from syncengine.core.digests import policy_digest
from syncengine.core.finding import RULES
from syncengine.core.operations import SPECS, Kind
from syncengine.core.settings import Account, ApprovalRule, Budget, DenyRule, Policy, StopRule, Window
from syncengine.core.values import is_service_id
from syncengine.documents.did_you_mean import did_you_mean
from syncengine.documents.files import inside, read_bounded
from syncengine.documents.nodes import Mapping, Scalar
from syncengine.documents.rendering import Names
from syncengine.documents.section import (
    ConfigurationProblems,
    cents,
    decimal,
    flag,
    mappings,
    scalar,
    scalars,
    section,
    text,
    texts,
    typed,
    whole,
)

PLAN_NAMES = {
    "plan": frozenset({"account", "changesets", "leads", "irreversible", "payout", "revenue", *(str(k) for k in Kind)})
}
OPERATION_NAMES = PLAN_NAMES | {
    "op": frozenset(
        {"kind", "lead", "changeset", "change", "fields", "before", "payout", "revenue", "buyer", "reason"}
        | {"delivery", "irreversible", "state"}
    )
}
"""What the expressions of a policy know of a plan, and of one operation."""
_MAX_SIGNERS = 1024 * 1024
_SMALL = re.compile(r"[0-9]{1,18}", re.ASCII)


def policy_of(
    node: Mapping, folder: Path, file: str, accounts: dict[str, Account], findings: ConfigurationProblems
) -> Policy:
    """The rules of a policy mapping. Its paths are relative to `folder` and cannot leave it."""
    _check_deliveries(node, accounts, findings)
    repeats = [spec.repeat for spec in SPECS.values() if spec.repeat]
    policy = Policy(
        max_leads=whole(node, "max_leads"),
        max_irreversible=whole(node, "max_irreversible"),
        max_payout=cents(node, "max_payout", findings),
        max_revenue=cents(node, "max_revenue", findings),
        max_total_payout=cents(node, "max_total_payout", findings),
        max_total_revenue=cents(node, "max_total_revenue", findings),
        max_change_percent=decimal(node, "max_change_percent"),
        require_before=tuple(Kind(name) for name in texts(node, "require_before") if name in set(Kind)),
        allowed_fields=_listed(node, "allowed_fields"),
        denied_fields=texts(node, "denied_fields"),
        allowed_deliveries=_listed(node, "allowed_deliveries"),
        allow_negative=flag(node, "allow_negative"),
        windows=tuple(_window(item, findings) for item in mappings(node, "windows")),
        budgets=tuple(_budget(item, findings) for item in mappings(node, "budgets")),
        waves=tuple(int(item.text) for item in scalars(node, "waves") if _SMALL.fullmatch(item.text)),
        stop_when=typed(section(node, "stop_when"), StopRule),
        deny=tuple(_deny(item, findings) for item in mappings(node, "deny")),
        approvals=_approvals(node, folder, findings),
        findings=_findings(node, findings),
        lines={key.text: key.line for key, _ in node.entries} | _finding_lines(node),
        file=file,
        **{name: "allow" if text(node, name) == "allow" else "block" for name in repeats},
    )
    return msgspec.structs.replace(policy, digest=policy_digest(policy))


def _listed(node: Mapping, key: str) -> tuple[str, ...] | None:
    """None where the key is missing: an empty list allows nothing, a missing one allows everything."""
    return texts(node, key) if node.get(key) is not None else None


def _finding_lines(node: Mapping) -> dict[str, int]:
    ruled = node.get("findings")
    return {f"findings.{key.text}": key.line for key, _ in ruled.entries} if isinstance(ruled, Mapping) else {}


def _findings(node: Mapping, findings: ConfigurationProblems) -> dict[str, Literal["block", "ignore"]]:
    """The setting for each rule's findings. Rules that depend on other runs or files cannot block."""
    found: dict[str, Literal["block", "ignore"]] = {}
    for key, value in section(node, "findings").entries:
        setting = value.text if isinstance(value, Scalar) else ""
        if key.text not in RULES:
            hint = did_you_mean(key.text, RULES) or "docs/findings.md lists the rules"
            findings.add("SE560", f"there is no rule of findings {key.text!r}", key, hint)
        elif setting == "ignore":
            found[key.text] = "ignore"
        elif setting == "block":
            found[key.text] = "block"
            _check_may_block(key, findings)
    return found


def _check_may_block(rule: Scalar, findings: ConfigurationProblems) -> None:
    if RULES[rule.text] == "recorded":
        message = f"{rule.text} cannot block: it rests on more than the plan holds, such as other runs or files"
        findings.add("SE560", message, rule, f"write {rule.text}: ignore, or leave it out")


def _check_deliveries(node: Mapping, accounts: dict[str, Account], findings: ConfigurationProblems) -> None:
    names = {name for account in accounts.values() for name in account.deliveries}
    for item in scalars(node, "allowed_deliveries"):
        if not is_service_id(item.text) and item.text not in names:
            message = f"{item.text!r} is neither the id of a delivery nor a name configured for one"
            findings.add("SE560", message, item, did_you_mean(item.text, names))


def _time_zone(node: Mapping, default: str, findings: ConfigurationProblems) -> str:
    reference = scalar(node, "time_zone")
    if reference is None:
        return default
    try:
        ZoneInfo(reference.text)
    except (LookupError, ValueError, OSError):
        findings.add("SE560", f"the time zone {reference.text!r} is not known", reference, "write Europe/London")
    return reference.text


def _window(node: Mapping, findings: ConfigurationProblems) -> Window:
    start, end = text(node, "from"), text(node, "to")
    if start == end:
        findings.add(
            "SE560", "the window ends when it begins", node.get("to") or node, "for whole days: 00:00 to 24:00"
        )
    return Window(
        days=texts(node, "days"), start=start, end=end, time_zone=_time_zone(node, "", findings), line=node.line
    )


def _budget(node: Mapping, findings: ConfigurationProblems) -> Budget:
    return Budget(
        per="month" if text(node, "per") == "month" else "day",
        max_irreversible=whole(node, "max_irreversible"),
        max_payout=cents(node, "max_payout", findings),
        max_revenue=cents(node, "max_revenue", findings),
        max_leads=whole(node, "max_leads"),
        time_zone=_time_zone(node, "UTC", findings),
        line=node.line,
    )


def _deny(node: Mapping, findings: ConfigurationProblems) -> DenyRule:
    when = scalar(node, "when")
    if when is not None:
        _check_expression(when, OPERATION_NAMES, findings)
    return DenyRule(when=text(node, "when"), message=text(node, "message"), line=node.line)


def _check_expression(node: Scalar, names: Names, findings: ConfigurationProblems) -> None:
    # Jinja takes long to import, and most policies hold no expression.
    from syncengine.documents.expressions import ExpressionProblem, Expressions

    compiled = Expressions(names, missing="none").compile_condition(node.text)
    if isinstance(compiled, ExpressionProblem):
        place = Scalar(node.text, node.plain, node.line, node.column + compiled.offset + (not node.plain))
        findings.add("SE561", compiled.message, place, compiled.hint)


def _approvals(node: Mapping, folder: Path, findings: ConfigurationProblems) -> ApprovalRule | None:
    if not isinstance(rule := node.get("approvals"), Mapping):
        return None
    when = scalar(rule, "when")
    if when is not None:
        _check_expression(when, PLAN_NAMES, findings)
    required = whole(rule, "required") or 0
    path = _signers_of(rule, required, folder, findings)
    return ApprovalRule(
        required=required,
        when=text(rule, "when"),
        allowed_signers=str(path or ""),
        signers=hashlib.sha256(read_bounded(path, _MAX_SIGNERS)).hexdigest() if path is not None else "",
        author_may_approve=flag(rule, "author_may_approve"),
        line=rule.line,
    )


def _signers_of(rule: Mapping, required: int, folder: Path, findings: ConfigurationProblems) -> Path | None:
    reference = scalar(rule, "allowed_signers")
    if reference is not None:
        return _signers(reference, folder, findings)
    if required:
        hint = "name a file of allowed signers, such as .syncengine/allowed_signers"
        findings.add("SE560", "approvals are required, but no one is allowed to sign", rule, hint)
    return None


def _signers(reference: Scalar, folder: Path, findings: ConfigurationProblems) -> Path | None:
    path = inside(folder, Path(reference.text))
    if path is None:
        hint = f"it is looked for in {folder}, and holds lines like: anna@example.com ssh-ed25519 AAAA..."
        findings.add("SE553", "allowed_signers is not a file that can be read here", reference, hint)
    elif path.stat().st_size > _MAX_SIGNERS:
        findings.add("SE553", "allowed_signers is too large", reference, "it holds one line for each signer")
        return None
    return path
