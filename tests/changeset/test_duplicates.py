"""First come, first served, exactly, however many there are."""

from hypothesis import given
from hypothesis import strategies as st

from syncengine.changeset.duplicates import Claims, Earlier
from syncengine.core.changes import Origin

_NAMES = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.sampled_from(["x", "y"]), min_size=1)


def test_the_first_claim_is_free_and_the_second_hears_of_it() -> None:
    with Claims() as claims:
        first, second = Origin("a.yaml", 3), Origin("b.yaml", 5, 7)
        assert claims.claim("k", "v", first) is None
        assert claims.claim("k", "w", second) == Earlier("v", first)
        assert claims.claim("k", "w", second) == Earlier("v", first)
        assert claims.claim("other", "v", second) is None


def test_owners_with_one_hash_are_told_apart() -> None:
    with Claims(hashed=lambda owner: 7) as claims:
        for number in range(50):
            assert claims.claim(str(number), "v", Origin("a", number)) is None
        for number in range(50):
            assert claims.claim(str(number), "w", Origin("b", 1)) == Earlier("v", Origin("a", number))


def test_a_record_longer_than_a_page_is_read_whole() -> None:
    with Claims(held_in_memory=1) as claims:
        values = {f"name {number}": "x" * 100 for number in range(200)}
        assert not claims.claim_all("lead", values, Origin("a", 1))
        assert claims.claim_all("lead", values, Origin("a", 2)) == {
            name: Earlier(value, Origin("a", 1)) for name, value in values.items()
        }


def test_what_went_to_disk_is_found_again() -> None:
    with Claims(held_in_memory=1_000) as claims:
        for number in range(5_000):
            assert claims.claim(str(number), f"v{number}", Origin("a.yaml", 1, number)) is None
        for number in range(0, 5_000, 7):
            assert claims.claim(str(number), "", Origin("b", 1)) == Earlier(f"v{number}", Origin("a.yaml", 1, number))


@given(st.lists(st.tuples(st.sampled_from(["1", "2", "3"]), _NAMES), max_size=30), st.sampled_from([1, 60, 1 << 20]))
def test_it_is_a_dictionary_that_never_forgets(steps: list[tuple[str, dict[str, str]]], limit: int) -> None:
    model: dict[tuple[str, str], Earlier] = {}
    with Claims(held_in_memory=limit) as claims:
        for line, (owner, values) in enumerate(steps, 1):
            origin = Origin("f", line, None if line % 2 else line)
            expected = {name: model[owner, name] for name in values if (owner, name) in model}
            assert claims.claim_all(owner, values, origin) == expected
            for name, value in values.items():
                model.setdefault((owner, name), Earlier(value, origin))
