"""The command line on a campaign of 500 leads: silent without mistakes, and each planted mistake is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from syncengine.sandbox import Sandbox, SandboxOptions
from tests.findings import campaign
from tests.findings.campaign import Row
from tests.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "repository").mkdir()
    with Sandbox(SandboxOptions(state=tmp_path / "sandbox", any_lead=True)).start() as sandbox:
        yield Workspace(tmp_path / "repository", sandbox)


@pytest.mark.parametrize("seed", range(20))
def test_a_campaign_without_mistakes_asks_for_no_attention(workspace: Workspace, seed: int) -> None:
    found = campaign.plan(workspace, *campaign.rows(seed))
    assert [each for each in found["findings"] if each["severity"] != "info"] == []
    assert found["verdict"] == "clear"
    assert found["operations"]["to_send"] == 500 + 500 + 56


def each(field: str, value: Callable[[Row], str], rows: slice) -> Callable[[list[Row], list[Row]], None]:
    def plant(new: list[Row], old: list[Row]) -> None:
        for row in new[rows]:
            row[field] = value(row)

    return plant


def swap(one: str, other: str, rows: slice) -> Callable[[list[Row], list[Row]], None]:
    def plant(new: list[Row], old: list[Row]) -> None:
        for row, before in zip(new[rows], old[rows], strict=True):
            row[one], row[other] = before[other], before[one]

    return plant


def shift(field: str) -> Callable[[list[Row], list[Row]], None]:
    def plant(new: list[Row], old: list[Row]) -> None:
        values = [f"{n} Unique Street" for n in range(len(old))]
        for before, value in zip(old, values, strict=True):
            before[field] = value
        for row, value in zip(new[100:200], values[99:199], strict=True):
            row[field] = value

    return plant


def pence(new: list[Row], old: list[Row]) -> None:
    for row in new:
        row["payout"] = f"{row['payout'].replace('.', '')}.00"


def mixed(new: list[Row], old: list[Row]) -> None:
    for row in new[5:8]:
        year, month, day = row["dob"].split("-")
        row["dob"] = f"{day}/{month}/{year}"


ONE = slice(77, 78)
FEW = slice(40, 46)

MISTAKES: dict[str, tuple[str, str, Callable[[list[Row], list[Row]], None]]] = {
    "a buyer swapped": ("buyer-changed", "medium", each("buyer", lambda row: "34", ONE)),
    "a rare buyer": ("rare-target", "medium", each("buyer", lambda row: "34", ONE)),
    "payouts in pence": ("amount-scale", "high", pence),
    "one payout ten times": ("amount-outlier", "high", each("payout", lambda row: "950.00", ONE)),
    "payout and revenue swapped": ("swapped-amounts", "high", swap("payout", "revenue", ONE)),
    "payout above revenue": ("swapped-amounts", "high", each("payout", lambda row: "199.00", ONE)),
    "many payouts above revenue": ("negative-margin", "high", each("payout", lambda row: "199.00", slice(0, 150))),
    "names swapped": ("swapped-values", "high", swap("firstname", "lastname", FEW)),
    "a column taken for another": ("swapped-values", "medium", each("street1", lambda row: row["dob"], slice(0, 0))),
    "rows shifted by one": ("shifted-rows", "high", shift("street1")),
    "an error cell": ("spreadsheet-debris", "high", each("postcode", lambda row: "#N/A", ONE)),
    "an exponent": ("spreadsheet-debris", "high", each("phone1", lambda row: "4.477E+11", ONE)),
    "a float": ("spreadsheet-debris", "high", each("phone1", lambda row: "447700900123.0", ONE)),
    "a formula": ("spreadsheet-debris", "high", each("phone1", lambda row: '="0770090"', ONE)),
    "a no-break space": ("invisible-characters", "medium", each("postcode", lambda row: "TN25\u00a06QD", ONE)),
    "a zero-width space": ("invisible-characters", "medium", each("lastname", lambda row: "Smith\u200b", ONE)),
    "the wrong encoding": ("mojibake", "high", each("firstname", lambda row: "JÃ¼rgen", ONE)),
    "a placeholder": ("placeholder", "medium", each("email", lambda row: "test@test.com", ONE)),
    "one phone for many": ("repeated-value", "medium", each("phone1", lambda row: "+447700900123", FEW)),
    "dates the other way round": ("mixed-formats", "medium", mixed),
    "a phone without prefix": ("mixed-formats", "medium", each("phone1", lambda row: "07700900123", ONE)),
    "a postcode in small letters": ("mixed-formats", "medium", each("postcode", lambda row: "tn25 6qd", ONE)),
    "a lead with a digit missing": ("lead-range", "medium", each("lead", lambda row: row["lead"][:-1], ONE)),
    "a lead with digits changed": ("lead-unknown", "high", each("lead", lambda row: "9" + row["lead"][1:], ONE)),
}


@pytest.mark.parametrize("mistake", [name for name in MISTAKES if name != "a column taken for another"])
def test_a_planted_mistake_is_found(workspace: Workspace, mistake: str) -> None:
    rule, severity, plant = MISTAKES[mistake]
    new, old = campaign.rows(1)
    plant(new, old)
    found = campaign.plan(workspace, new, old)
    told = [finding for finding in found["findings"] if finding["rule"] == rule and finding["severity"] == severity]
    assert told, found["findings"]
    assert found["verdict"] == "attention"
    evidence = told[0]["evidence"][0]
    assert evidence["file"] == "data/rows.csv"
    assert evidence["line"] == evidence["row"] + 1
    assert told[0]["message"] in found["warnings"]
    assert len([each for each in found["findings"] if each["severity"] != "info"]) <= 4


def test_a_delivery_with_one_digit_wrong_is_found(workspace: Workspace) -> None:
    new, old = campaign.rows(1)
    for row in new:
        row["delivery"] = "1503" if row is new[18] else "1053"
    found = campaign.plan(workspace, new, old, more=["delivery"])
    assert [each["rule"] for each in found["findings"] if each["severity"] != "info"] == ["rare-target"]
    workspace.changeset("earlier", '- lead: "7"\n  trigger: ["1053"]\n')
    workspace.run("plan", "changesets/earlier.yaml", "--out", "earlier.plan")
    assert workspace.apply("earlier.plan")["exit"] == 0
    (workspace.root / "changesets/earlier.yaml").unlink()
    found = campaign.plan(workspace, new, old, more=["delivery"])
    (told,) = [each for each in found["findings"] if each["rule"] == "unknown-target"]
    assert (told["severity"], told["leads"]) == ("high", [new[18]["lead"]])


def test_a_slip_in_a_fields_name_is_found(workspace: Workspace) -> None:
    found = campaign.plan(
        workspace, *campaign.rows(1), changes=campaign.CHANGES.replace("    postcode:", "    postcdoe:")
    )
    (told,) = [each for each in found["findings"] if each["rule"] == "field-unknown"]
    assert "did you mean postcode" in told["message"]
    assert (told["severity"], told["count"], told["changeset"], told["change"]) == ("high", 500, "campaign", "repair")


def test_rows_that_when_leaves_out_are_told(workspace: Workspace) -> None:
    found = campaign.plan(workspace, *campaign.rows(1))
    (told,) = [each for each in found["findings"] if each["rule"] == "rows-taken"]
    assert (told["severity"], told["count"], told["change"]) == ("info", 444, "resale")
    changes = campaign.CHANGES.replace("== 'yes'", "== 'Yes'")
    found = campaign.plan(workspace, *campaign.rows(1), changes=changes)
    (told,) = [each for each in found["findings"] if each["rule"] == "rows-taken"]
    assert (told["severity"], told["count"]) == ("high", 500)


def test_values_are_masked_in_evidence(workspace: Workspace) -> None:
    new, old = campaign.rows(1)
    MISTAKES["a no-break space"][2](new, old)
    found = campaign.plan(workspace, new, old)
    (told,) = [each for each in found["findings"] if each["rule"] == "invisible-characters"]
    assert told["evidence"][0]["after"] == "T•••••QD"
    shown: Any = workspace.run("show", "release.plan", "--format", "json", "--show-values").json
    (told,) = [each for each in shown["findings"] if each["rule"] == "invisible-characters"]
    assert told["evidence"][0]["after"] == "TN25\u00a06QD"


def test_every_view_tells_findings_first(workspace: Workspace) -> None:
    new, old = campaign.rows(1)
    pence(new, old)
    campaign.plan(workspace, new, old)
    shown = {view: workspace.run("show", "release.plan", "--format", view).out for view in ("text", "markdown", "html")}
    assert all("500 payouts are 100 times what they were" in text for text in shown.values())
    assert shown["text"].index("100 times") < shown["text"].index("IRREVERSIBLE")
    assert shown["markdown"].index("100 times") < shown["markdown"].index("| money | before |")
    body = shown["html"].partition("<body")[2]
    assert body.index("100 times") < body.index("Cannot be taken back") < body.index("Money")


def test_findings_with_a_place_are_annotations_and_sarif(workspace: Workspace) -> None:
    new, old = campaign.rows(1)
    MISTAKES["an error cell"][2](new, old)
    campaign.plan(workspace, new, old)
    (line, *_) = [each for each in workspace.run("show", "release.plan", "--format", "github").out.splitlines() if each]
    assert line.startswith("::error file=data/rows.csv,line=79,title=spreadsheet-debris::")
    log: Any = workspace.run("show", "release.plan", "--format", "sarif").json
    found = [each for each in log["runs"][0]["results"] if each["ruleId"] == "spreadsheet-debris"]
    place = found[0]["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("data/rows.csv", 79)
