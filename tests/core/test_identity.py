"""An operation's id is the hash that docs/identity.md describes, whatever is remembered between two operations."""

import hashlib
import json

from hypothesis import given
from hypothesis import strategies as st

from syncengine.core.identity import operation_id
from syncengine.core.operations import Financials, Operation, Reprocess, Trigger, Update, values_of
from syncengine.core.values import BuyerId, Cents, ChangesetId, DeliveryId, LeadId

LEADS = st.from_regex(r"[1-9][0-9]{0,18}", fullmatch=True).map(LeadId)
OPERATIONS = st.one_of(
    st.builds(Update, LEADS, st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=5), min_size=1)),
    st.builds(Reprocess, LEADS, st.integers(1, 3)),
    st.builds(Trigger, LEADS, st.just(DeliveryId("1053")), st.integers(1, 3)),
    st.builds(Financials, LEADS, st.just(Cents(100)), st.none(), st.sampled_from([None, BuyerId("33")])),
)


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
