"""The examples that people copy: each is free of findings and says what it says it becomes."""

from pathlib import Path

from syncengine.changeset.load import load, validate
from syncengine.documents.configuration import load_configuration
from tests.changeset.loading import as_rows, items_of

_SPECS = Path(__file__).parent.parent.parent / "specs"
_SETTINGS = load_configuration(_SPECS / "syncengine.yaml", {})


def test_every_example_is_free_of_findings() -> None:
    read = load([_SPECS / "api", _SPECS / "campaigns"], _SETTINGS, variables={})
    assert validate(read) == []
    assert len(read.changesets) >= 9
    assert all(found.facts().title for found in read.changesets)


def test_the_requests_of_the_article() -> None:
    rows = {
        found.stem: as_rows(items_of(load([found], _SETTINGS, variables={})))
        for found in (_SPECS / "api").glob("*.yaml")
    }
    assert rows == {
        "update": [["2932682", "update", {"postcode": "TN25 6QD"}]],
        "update-and-trigger": [["2932682", "update", {"postcode": "TN25 6QD"}], ["2932682", "trigger", "1053", 1]],
        "several-deliveries": [["2932684", "trigger", "1053", 1], ["2932684", "trigger", "1054", 1]],
        "update-and-reprocess": [
            ["2932682", "update", {"postcode": "TN25 6QD"}],
            ["2932682", "reprocess", "", 1],
            ["2932683", "update", {"firstname": "Joe", "lastname": "Blogs"}],
            ["2932683", "reprocess", "", 1],
            ["2932684", "update", {"postcode": "7010", "source": "www.LeadByte.com", "c1": "GoogleAdWords"}],
            ["2932684", "reprocess", "", 1],
        ],
        "financials": [["2932682", "financials", {"payout": "80.00", "revenue": "120.00", "buyer": "33"}]],
    }
