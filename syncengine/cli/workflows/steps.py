"""Steps of the syncengine jobs that are more than a command. Written by `syncengine init --ci`.

    steps.py report PLANS REPORTS   views of the plans, and which of them can be applied or wait for signatures
    steps.py comment REPORTS        one comment on a proposal, written anew each time
    steps.py status WAITING         the commit status "syncengine/approvals", on this commit and on earlier ones
    steps.py claim                  who approved this run on the forge
    steps.py issue EXIT FILE        one issue about drift

Only Python's library is used. The forge is a display here: when it does not answer, that is a warning in the log, and
what is applied does not depend on it.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

import forge

LONGEST_COMMENT = 65_000
LONGEST_SUMMARY = 900_000
LONGEST_DESCRIPTION = 140
EARLIER_COMMITS = 50
"""How many commits of main are searched for a status that still waits."""


def show(plan: Path, form: str) -> str:
    command = ["syncengine", "show", str(plan), "--format", form]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def report(plans: str, reports: str) -> None:
    """Write plan.md, an HTML view of each plan, plans.json and waiting.json; output `ready` and `waiting`."""
    folder, target = Path(plans), Path(reports)
    listed = (folder / "plans.json").read_text(encoding="utf-8")
    target.mkdir(parents=True, exist_ok=True)
    (target / "plans.json").write_text(listed, encoding="utf-8")
    texts: list[str] = []
    waiting: list[dict[str, str]] = []
    ready = False
    for entry in json.loads(listed)["plans"]:
        plan, name = folder / entry["file"], entry["changeset"]
        texts.append(show(plan, "markdown"))
        (target / f"{name}.html").write_text(show(plan, "html"), encoding="utf-8")
        facts = json.loads(show(plan, "json"))
        if facts["operations"]["to_send"] and facts["verdict"] != "blocked":
            enough = len(facts["approvals"]["given"]) >= (facts["approvals"]["needed"] or 0)
            ready = ready or enough
            if not enough:
                waiting.append({"changeset": name, "plan": facts["plan"]})
    (target / "waiting.json").write_text(json.dumps(waiting), encoding="utf-8")
    text = fitting(texts, LONGEST_SUMMARY) or "Nothing to send.\n"
    for wait in waiting:
        text += f"\n`{wait['changeset']}` waits for signatures: `approvals/{wait['plan']}.approval`\n"
    (target / "plan.md").write_text(text, encoding="utf-8")
    forge.summary(text)
    forge.output(ready="true" if ready else "false", waiting=str(len(waiting)))


def fitting(texts: list[str], limit: int) -> str:
    """As many whole texts as fit: half a table, or a code block that is not closed, would spoil what follows."""
    kept: list[str] = []
    size = 0
    for text in texts:
        size += len(text) + 1
        if size > limit:
            kept.append(f"\n**{len(texts) - len(kept)} more plans are in the HTML views of this run.**\n")
            break
        kept.append(text)
    return "\n".join(kept)


def comment(reports: str) -> None:
    """The comment is found by its marker and its author: everyone can write the marker into a comment of their own."""
    kind, number, commit, result, html = (
        os.environ.get(name, "") for name in ("KIND", "NUMBER", "COMMIT", "RESULT", "HTML")
    )
    marker = f"<!-- syncengine: {kind} -->"
    title = "syncengine, without the ledger" if kind == "check" else "syncengine, with the ledger of main"
    links = f"[run]({forge.run_url()})" + (f" · [HTML view]({html})" if html else "")
    head = f"{marker}\n**{title}**{result and ': '}{result} for commit {commit} · {links}\n"
    file = Path(reports) / "plan.md"
    text = file.read_text(encoding="utf-8") if file.is_file() else "No plan: the log of the run says why.\n"
    known = next((known for known, body in forge.own_comments(number) if body.startswith(marker)), None)
    forge.write_comment(number, known, fitting([head, text], LONGEST_COMMENT))


def status(waiting_file: str) -> None:
    """Pending while plans wait, else success; the same for earlier commits of main whose plans wait no more."""
    waiting = json.loads(Path(waiting_file).read_text(encoding="utf-8"))
    this = forge.commit()
    if waiting:
        forge.set_status(this, "pending", description(waiting))
    else:
        forge.set_status(this, "success", "Nothing waits for approval")
    history = ["git", "rev-list", "--first-parent", "--skip=1", f"--max-count={EARLIER_COMMITS}", this]
    digests = {wait["plan"][:12] for wait in waiting}
    for commit in subprocess.run(history, check=True, stdout=subprocess.PIPE, text=True).stdout.split():
        found = forge.status_of(commit)
        if found is None:
            continue
        state, text = found
        if state == "success":
            return  # What waited before it was closed then.
        waits = digests if text.endswith("...") else digests & set(re.findall(r"@([0-9a-f]{12})", text))
        if not waits:
            forge.set_status(commit, "success", f"Waits no more, as of commit {this[:12]}")


def description(waiting: list[dict[str, str]]) -> str:
    """Which plans wait: the beginning of each digest, by which a later run knows whether it still does."""
    text = "Waits for approval:"
    for wait in waiting:
        more = f" {wait['changeset']}@{wait['plan'][:12]}"
        if len(text) + len(more) + 4 > LONGEST_DESCRIPTION:
            return f"{text} ..."
        text += more
    return text


def claim() -> None:
    """Print who approved and where; nothing where the forge asked no one."""
    print(forge.approved_by(), end="")


def issue(code: str, file: str) -> None:
    """Open the issue where values differ, update it where it is open, close it where none differs any more."""
    marker = "<!-- syncengine: drift -->"
    text = Path(file).read_text(encoding="utf-8")[: LONGEST_COMMENT - 500].replace("```", "'''")
    differs = code == "4"
    said = "The service no longer has what was applied last." if differs else "Nothing differs any more."
    known = next((known for known, body in forge.own_issues() if body.startswith(marker)), None)
    if differs or known is not None:
        body = f"{marker}\n{said} [Run]({forge.run_url()})\n\n```text\n{text}\n```\n"
        forge.write_issue(known, "syncengine: values of leads have drifted", body, still_open=differs)


STEPS: dict[str, Callable[..., None]] = {
    "report": report,
    "comment": comment,
    "status": status,
    "claim": claim,
    "issue": issue,
}

if __name__ == "__main__":
    step, *arguments = sys.argv[1:]
    try:
        STEPS[step](*arguments)
    except (OSError, HTTPException, ValueError, KeyError, TypeError, AttributeError) as error:
        if step == "report":
            raise
        # On stderr: what `claim` prints on stdout is its result.
        print(forge.warning(f"{step}: the forge did not answer as expected: {error}"), file=sys.stderr)
