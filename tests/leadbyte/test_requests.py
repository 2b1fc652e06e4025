"""What leaves: the documented bodies, key by key, with every character as it was declared."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine import __version__
from syncengine.core.operations import Update
from syncengine.core.outcomes import LeadEntry
from syncengine.core.settings import Wire
from syncengine.core.values import LeadId
from syncengine.leadbyte.keys import Secret
from syncengine.leadbyte.requests import build_request

from .samples import KEY, SECRET, entry, financials, reprocess, trigger, update

ARTICLE_UPDATE = '{"leads": [{"id": "2932682", "update": {"postcode": "TN25 6QD"}}]}'
ARTICLE_TRIGGER = '{"leads": [{"id": "2932682", "triggerDeliveryId": "1053", "update": {"postcode": "TN25 6QD"}}]}'
ARTICLE_REPROCESS = """{"leads": [
    {"id": "2932682", "action" : "reprocess", "update": {"postcode": "TN25 6QD"}},
    {"id": "2932683", "action" : "reprocess", "update": {"firstname": "Joe", "lastname": "Blogs"}},
    {"id": "2932684", "action" : "reprocess",
     "update": {"postcode": "7010", "source": "www.LeadByte.com", "c1": "GoogleAdWords"}}]}"""


def pairs(text: str | bytes) -> Any:
    """JSON with objects as lists of pairs, so that a comparison sees the order of keys; numbers as written."""
    return json.loads(
        text, object_pairs_hook=list, parse_int=lambda n: ("number", n), parse_float=lambda n: ("number", n)
    )


@pytest.mark.parametrize(
    ("entries", "document"),
    [
        ((entry(update()),), ARTICLE_UPDATE),
        ((entry(update(), trigger()),), ARTICLE_TRIGGER),
        (
            (
                entry(update(), reprocess()),
                entry(update("2932683", firstname="Joe", lastname="Blogs"), reprocess("2932683")),
                entry(
                    update("2932684", postcode="7010", source="www.LeadByte.com", c1="GoogleAdWords"),
                    reprocess("2932684"),
                ),
            ),
            ARTICLE_REPROCESS,
        ),
        (
            (entry(trigger("1053"), trigger("1054")),),
            '{"leads": [{"id": "2932682", "triggerDeliveryIds": ["1053", "1054"]}]}',
        ),
        ((entry(reprocess()),), '{"leads": [{"id": "2932682", "action": "reprocess"}]}'),
    ],
)
def test_leads_bodies_are_the_documented_ones(entries: tuple[LeadEntry, ...], document: str) -> None:
    request = build_request(entries, Wire())
    assert (request.method, request.path) == ("PUT", "/restapi/v1.3/leads")
    assert pairs(request.content(SECRET)) == pairs(document)
    assert request.headers(SECRET) == {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": f"syncengine/{__version__}",
        "X_KEY": KEY,
    }


def test_financials_body_is_the_documented_one_to_the_character() -> None:
    request = build_request((entry(financials()),), Wire())
    assert (request.method, request.path) == ("PUT", "/restapi/v1.3/leadfinancials")
    assert request.content(SECRET) == (
        b'{"key":"' + KEY.encode() + b'","leads":[2932682],"newPayout":80.00,"newRevenue":120.00,"BID":"33"}'
    )
    assert "X_KEY" not in request.headers(SECRET)


@pytest.mark.parametrize(
    ("operation", "wire", "body"),
    [
        (financials(payout=None, buyer=None), Wire(), b'{"leads":[2932682],"newRevenue":120.00}'),
        (financials(revenue=None), Wire(), b'{"leads":[2932682],"newPayout":80.00,"BID":"33"}'),
        (
            financials(payout=-5, revenue=0),
            Wire(),
            b'{"leads":[2932682],"newPayout":-0.05,"newRevenue":0.00,"BID":"33"}',
        ),
        (
            financials("9999999999999999999", payout=99999999999999999, revenue=None, buyer="acme-slug"),
            Wire(),
            b'{"leads":[9999999999999999999],"newPayout":999999999999999.99,"BID":"acme-slug"}',
        ),
        (
            financials(),
            Wire(financials_ids="string"),
            b'{"leads":["2932682"],"newPayout":80.00,"newRevenue":120.00,"BID":"33"}',
        ),
    ],
)
def test_financials_leave_out_what_is_not_declared(operation: Any, wire: Wire, body: bytes) -> None:
    assert build_request((entry(operation),), wire).body == body


def test_a_group_of_financials_shares_one_payout_revenue_and_buyer() -> None:
    request = build_request((entry(financials("11")), entry(financials("22"))), Wire())
    assert request.body == b'{"leads":[11,22],"newPayout":80.00,"newRevenue":120.00,"BID":"33"}'


@pytest.mark.parametrize(
    "entries",
    [
        (),
        (entry(update()), entry(trigger())),
        (entry(financials("11")), entry(financials("22", payout=8001))),
        (entry(financials("11")), entry(financials("22", buyer=None))),
        (entry(financials("11")), entry(update("22"))),
        (entry(reprocess(), trigger()),),
    ],
)
def test_entries_that_cannot_share_a_request_are_refused(entries: tuple[LeadEntry, ...]) -> None:
    with pytest.raises(ValueError, match=r"request|reprocess"):
        build_request(entries, Wire())


@pytest.mark.parametrize(("placement", "in_header", "in_body"), [("header", 1, 0), ("body", 0, 1), ("both", 1, 1)])
def test_the_key_goes_where_the_account_wants_it(placement: Any, in_header: int, in_body: int) -> None:
    for request in (
        build_request((entry(update()),), Wire(leads_key=placement)),
        build_request((entry(financials()),), Wire(financials_key=placement)),
    ):
        assert list(request.headers(SECRET).values()).count(KEY) == in_header
        assert request.content(SECRET).count(KEY.encode()) == in_body
        assert KEY.encode() not in request.body
        if in_body:
            assert pairs(request.content(SECRET))[0] == ["key", KEY] or pairs(request.content(SECRET))[0] == (
                "key",
                KEY,
            )


def test_a_key_with_quotes_cannot_leave_its_string() -> None:
    secret = Secret('a"b\\c')
    request = build_request((entry(update()),), Wire(leads_key="body"))
    assert json.loads(request.content(secret))["key"] == 'a"b\\c'


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])), min_size=1
    )
)
def test_every_character_of_a_field_survives(fields: dict[str, str]) -> None:
    body = build_request((entry(Update(LeadId("2932682"), fields)),), Wire()).body
    assert json.loads(body) == {"leads": [{"id": "2932682", "update": fields}]}


@pytest.mark.parametrize(
    "text", ["7010", "07700900123", "yes", "2001-02-03", "1e3", "0x1F", "12:30:45", "1_000", "+44", "x ", ""]
)
def test_values_leave_as_the_characters_typed(text: str) -> None:
    body = build_request((entry(update(c1=text)),), Wire()).body
    assert body == b'{"leads":[{"id":"2932682","update":{"c1":' + json.dumps(text).encode() + b"}}]}"
