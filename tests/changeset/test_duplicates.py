"""First come, first served, exactly, however many there are."""

from hypothesis import given
from hypothesis import strategies as st

from syncengine.core.changes import Origin
from syncengine.core.values import LeadId, quarantined
from syncengine.documents.claims import ClaimStore, FirstClaim

_NAMES = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.sampled_from(["x", "y"]), min_size=1)


def test_the_first_claim_is_free_and_the_second_hears_of_it() -> None:
    with ClaimStore() as claims:
        first, second = Origin("a.yaml", 3), Origin("b.yaml", 5, 7)
        assert claims.claim(LeadId("7"), "k", "v", first) is None
        assert claims.claim(LeadId("7"), "k", "w", second) == FirstClaim("v", first)
        assert claims.claim(LeadId("7"), "k", "w", second) == FirstClaim("v", first)
        assert claims.claim(LeadId("7"), "other", "v", second) is None
        assert claims.claim(LeadId("8"), "k", "v", second) is None


def test_leads_that_share_a_bit_and_a_bucket_are_told_apart() -> None:
    leads = [LeadId(str((1 << 62) + (number << 26))) for number in range(50)]
    with ClaimStore() as claims:
        for number, lead in enumerate(leads):
            assert claims.claim(lead, "", "v", Origin("a", number)) is None
        for number, lead in enumerate(leads):
            assert claims.claim(lead, "", "w", Origin("b", 1)) == FirstClaim("v", Origin("a", number))


def test_a_lead_in_quarantine_is_not_the_lead_with_its_number() -> None:
    with ClaimStore() as claims:
        assert claims.claim(LeadId("7"), "", "lead", Origin("a", 1)) is None
        assert claims.claim(quarantined("7"), "", "other", Origin("a", 2)) is None
        assert claims.claim(quarantined("7"), "", "", Origin("a", 3)) == FirstClaim("other", Origin("a", 2))


def test_the_longest_lead_id_can_be_claimed() -> None:
    longest = LeadId("9" * 19)
    with ClaimStore(held_in_memory=1) as claims:
        assert claims.claim(longest, "", "v", Origin("a", 1)) is None
        assert claims.claim(longest, "", "w", Origin("a", 2)) == FirstClaim("v", Origin("a", 1))


def test_a_record_longer_than_a_page_is_read_whole() -> None:
    with ClaimStore(held_in_memory=1) as claims:
        values = {f"name {number}": "x" * 100 for number in range(200)}
        assert not claims.claim_all(LeadId("1"), values, Origin("a", 1))
        assert claims.claim_all(LeadId("1"), values, Origin("a", 2)) == {
            name: FirstClaim(value, Origin("a", 1)) for name, value in values.items()
        }


def test_what_went_to_disk_is_found_again() -> None:
    with ClaimStore(held_in_memory=1_000) as claims:
        for number in range(5_000):
            assert claims.claim(LeadId(str(number)), "", f"v{number}", Origin("a.yaml", 1, number)) is None
        for number in range(0, 5_000, 7):
            assert claims.claim(LeadId(str(number)), "", "", Origin("b", 1)) == FirstClaim(
                f"v{number}", Origin("a.yaml", 1, number)
            )


@given(
    st.lists(st.tuples(st.sampled_from(["1", "2", str((1 << 26) + 1)]), _NAMES), max_size=30),
    st.sampled_from([1, 60, 1 << 20]),
)
def test_it_is_a_dictionary_that_never_forgets(steps: list[tuple[str, dict[str, str]]], limit: int) -> None:
    model: dict[tuple[str, str], FirstClaim] = {}
    with ClaimStore(held_in_memory=limit) as claims:
        for line, (lead, values) in enumerate(steps, 1):
            origin = Origin("f", line, None if line % 2 else line)
            expected = {name: model[lead, name] for name in values if (lead, name) in model}
            assert claims.claim_all(LeadId(lead), values, origin) == expected
            for name, value in values.items():
                model.setdefault((lead, name), FirstClaim(value, origin))
