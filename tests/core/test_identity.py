"""Identities are for ever, since ledgers hold them: pinned, and what is and is not part of them tried one by one."""

from __future__ import annotations

import hashlib
import json
from itertools import combinations
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from syncengine.core.digests import digest_of
from syncengine.core.identity import SCHEME, fingerprint, operation_id
from syncengine.core.operations import Financials, Operation, Reject, Release, Reprocess, Trigger, Update, values_of
from syncengine.core.values import BuyerId, Cents, ChangesetId, DeliveryId, LeadId

CHANGESET = ChangesetId("postcode-repair-2026-11")
LEAD = LeadId("2932682")
OTHER = LeadId("2932683")
TEXTS = st.text(min_size=1, max_size=20)
LEADS = st.from_regex(r"[1-9][0-9]{0,18}", fullmatch=True).map(LeadId)
OPERATIONS = st.one_of(
    st.builds(Update, LEADS, st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=5), min_size=1)),
    st.builds(Reprocess, LEADS, st.integers(1, 3)),
    st.builds(Trigger, LEADS, st.just(DeliveryId("1053")), st.integers(1, 3)),
    st.builds(Release, LEADS, st.integers(1, 3)),
    st.builds(Reject, LEADS),
    st.builds(Financials, LEADS, st.just(Cents(100)), st.none(), st.sampled_from([None, BuyerId("33")])),
)


def of(operation: Operation, *, account: str = "acme", changeset: ChangesetId = CHANGESET) -> str:
    return operation_id(account, changeset, operation)


def described(account: str, changeset: str, operation: Operation) -> str:
    kind = type(operation).__name__.lower()
    delivery, generation = getattr(operation, "delivery", ""), getattr(operation, "generation", 1)
    names = sorted(values_of(operation))
    parts = ["syncengine-operation", "1", account, changeset, kind, operation.lead, delivery, str(generation), *names]
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return "1" + hashlib.sha256(text.encode()).hexdigest()[:39]


@given(st.lists(st.tuples(st.sampled_from(["acme", "other"]), st.sampled_from(["one", "two"]), OPERATIONS), max_size=8))
def test_the_id_is_the_hash_of_the_documented_parts(declared: list[tuple[str, str, Operation]]) -> None:
    for account, changeset, operation in declared:
        assert operation_id(account, ChangesetId(changeset), operation) == described(account, changeset, operation)


def test_identities_of_the_first_scheme_never_change() -> None:
    """Ledgers hold these; another value here would send everything again."""
    assert SCHEME == "1"
    assert of(Update(LEAD, {"postcode": "TN25 6QD"})) == "1945d0fb3ddc1dfeb7910ea0c538a429db96f15c"
    assert of(Trigger(LEAD, DeliveryId("1053"))) == "1ef17faf15bcad26d9d89b67b820bfce4a62eaa4"
    assert of(Reprocess(LEAD)) == "1fc66e8d79f87e8b910efaaf516becdea42e3751"
    assert of(Financials(LEAD, payout=Cents(8000), buyer=BuyerId("33"))) == "1687763ea2af14652c4439035af0e138109528df"


DISTINCT: list[Operation] = [
    Update(LEAD, {"a": "1"}),
    Update(OTHER, {"a": "1"}),
    Update(LEAD, {"b": "1"}),
    Update(LEAD, {"a": "1", "b": "1"}),
    Update(LEAD, {"a,b": "1"}),
    Update(LEAD, {"payout": "1"}),
    Reprocess(LEAD),
    Reprocess(LEAD, 2),
    Reprocess(OTHER),
    Release(LEAD),
    Reject(LEAD),
    Trigger(LEAD, DeliveryId("1")),
    Trigger(LEAD, DeliveryId("1"), 2),
    Trigger(LEAD, DeliveryId("2")),
    Trigger(OTHER, DeliveryId("1")),
    Financials(LEAD, payout=Cents(1)),
    Financials(LEAD, revenue=Cents(1)),
    Financials(LEAD, payout=Cents(1), revenue=Cents(1)),
    Financials(LEAD, payout=Cents(1), buyer=BuyerId("33")),
]


def test_different_operations_have_different_identities() -> None:
    for one, other in combinations(DISTINCT, 2):
        assert of(one) != of(other), (one, other)
    for operation in DISTINCT:
        assert len({of(operation), of(operation, account="b"), of(operation, changeset=ChangesetId("other"))}) == 3


@given(st.dictionaries(TEXTS, st.tuples(TEXTS, TEXTS), min_size=1, max_size=5), st.randoms())
def test_values_and_order_of_fields_are_no_part_of_it(fields: dict[str, tuple[str, str]], shuffle: Random) -> None:
    names = list(fields)
    shuffle.shuffle(names)
    one = Update(LEAD, {name: before for name, (before, _) in fields.items()})
    other = Update(LEAD, {name: fields[name][1] for name in names})
    assert of(one) == of(other)


@given(st.integers(-(10**17), 10**17), st.integers(-(10**17), 10**17), TEXTS, TEXTS)
def test_amounts_and_buyers_are_no_part_of_it(one: int, other: int, buyer: str, another: str) -> None:
    assert of(Financials(LEAD, payout=Cents(one), buyer=BuyerId(buyer))) == of(
        Financials(LEAD, payout=Cents(other), buyer=BuyerId(another))
    )


def test_a_digest_is_of_canonical_json() -> None:
    text = '{"a":[1,"ü"],"b":"2"}'
    assert digest_of({"b": "2", "a": [1, "ü"]}) == hashlib.sha256(text.encode()).hexdigest()


def test_a_fingerprint_depends_on_key_lead_name_and_value_and_on_nothing_else() -> None:
    key = b"k" * 32
    first = fingerprint(key, "1", "postcode", "TN25")
    message = b'["1","postcode","TN25"]'
    assert first == hashlib.blake2b(message, key=key, digest_size=16, person=b"syncengine-value").hexdigest()
    others = {
        fingerprint(b"l" * 32, "1", "postcode", "TN25"),
        fingerprint(key, "2", "postcode", "TN25"),
        fingerprint(key, "1", "city", "TN25"),
        fingerprint(key, "1", "postcode", "TN26"),
        fingerprint(key, "1", "post", "codeTN25"),
    }
    assert first not in others
    assert len(others) == 5
