"""An answer is believed only where it is about what was asked; without one, the search is sent again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.lookup.bench import KEY, Bench
from tests.lookup.service import Reply, Search, Service, found, result

ANN: Search = {"campaignId": 565, "email": "ann@example.com"}
BEN: Search = {"campaignId": 565, "email": "ben@example.com"}


def around(odd: Any) -> Callable[[list[Search], int], Reply]:
    """`odd` for ann@example.com; everybody else is lead 9."""

    def answer(searches: list[Search], _number: int) -> Reply:
        (search,) = searches
        if search["email"] == ANN["email"]:
            return odd if isinstance(odd, Reply) else Reply(odd)
        return Reply(found((search, [result(9)])))

    return answer


UNBELIEVABLE = {
    "another value": found((BEN, [result(1)])),
    "another campaign": found(({**ANN, "campaignId": 566}, [result(1)])),
    "no value": found(({"campaignId": 565}, [result(1)])),
    "the search twice": found((ANN, [result(1)]), (ANN, [result(1)])),
    "a result of another campaign": found((ANN, [result(1, campaignId=566)])),
    "a result about another person": found((ANN, [result(1, email="ben@example.com")])),
    "fewer matches than results": found((ANN, [result(1)]))
    | {"searches": [{**ANN, "results": [result(1)], "matches": 0}]},
    "more matches than results": {**found((ANN, [])), "searches": [{**ANN, "results": [], "matches": 1}]},
    "another total": found((ANN, [result(1)])) | {"totalMatches": 2},
    "a total that is no count": found((ANN, [result(1)])) | {"totalMatches": [1]},
    "no results": {"status": "Success", "searches": [{**ANN, "matches": 1}]},
    "no searches": {"status": "Success", "message": "", "totalMatches": 0},
    "one lead in two ways": found((ANN, [result(1), result(1, received="2023-01-01T00:00:00Z")])),
    **{
        f"leadId {lead!r}": found((ANN, [result(lead)]))
        for lead in (0, -1, 1.5, 1.0, "x", "499791", True, None, [1], 10**19)
    },
    "a result that is no object": found((ANN, [7])),  # type: ignore[list-item]
}


@pytest.mark.parametrize("name", UNBELIEVABLE)
def test_an_answer_that_cannot_be_believed_is_unreadable(name: str, tmp_path: Path) -> None:
    with Service(around(UNBELIEVABLE[name])) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", "email\nann@example.com\nben@example.com\n")
        ended = bench.lookup("--format", "json")
        assert ended.code == 4, ended.err
        assert bench.matches() == [("", "unreadable"), ("9", "one")]
        assert ended.json["requests"] == 2


@pytest.mark.parametrize(
    "odd",
    [
        Reply(b"<html><title>Sign in</title></html>", headers={"Content-Type": "text/html"}),
        Reply(b'{"status": "Success", "searches": ['),
        Reply(b""),
        Reply(b"[" * 100_000),
        Reply(b" " * (17 * 1024 * 1024)),
        Reply(b'{"totalMatches": 0, "totalMatches": 0, "searches": []}'),
        Reply(["a"]),
    ],
    ids=["html", "cut", "empty", "deep", "huge", "a key twice", "a list"],
)
def test_what_is_no_answer_is_asked_for_again_and_then_unreadable(odd: Reply, tmp_path: Path) -> None:
    with Service(around(odd)) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", "email\nann@example.com\nben@example.com\n")
        ended = bench.lookup("--format", "json")
        assert (ended.code, bench.matches()) == (4, [("", "unreadable"), ("9", "one")])
        assert service.asked() == {ANN["email"]: 2, BEN["email"]: 1}
        assert ended.json["requests"] == 3


def test_pages_in_place_of_all_answers_stop_it_and_nothing_is_written(tmp_path: Path) -> None:
    with Service(lambda *_: Reply(b"<html>Sign in</html>")) as service:
        bench = Bench(tmp_path, service, ", max_wait: 0")
        bench.write("in.csv", "email\n" + "".join(f"a{n}@example.com\n" for n in range(20)))
        ended = bench.lookup()
        assert (ended.code, "SE523" in ended.err) == (4, True)
        assert "the answer is a page, not JSON" in ended.err
        assert len(service.bodies) == 10
        assert "out.csv" not in bench.names()


def test_a_redirect_is_never_followed(tmp_path: Path) -> None:
    with Service(around({})) as other:
        moved = Reply(b"", 307, {"Location": f"{other.url}/restapi/v1.3/leads/search"})
        with Service(lambda *_: moved) as service:
            bench = Bench(tmp_path, service)
            bench.write("in.csv", "email\nann@example.com\n")
            ended = bench.lookup()
            assert (ended.code, "redirect" in ended.err) == (4, True)
            assert (len(service.bodies), other.bodies) == (1, [])
            assert "out.csv" not in bench.names()


@pytest.mark.parametrize("reply", [Reply({}, 500), Reply({}, 429, {"Retry-After": "0"}), Reply({}, 408), None])
def test_what_was_not_answered_is_asked_again_up_to_attempts(reply: Reply | None, tmp_path: Path) -> None:
    def once(searches: list[Search], number: int) -> Reply | None:
        return reply if number == 1 else Reply(found((searches[0], [result(1)])))

    with Service(once) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", "email\nann@example.com\n")
        assert bench.lookup().code == 0
        assert service.asked() == {ANN["email"]: 2}
    (tmp_path / "out.csv").unlink()
    with Service(lambda *_: reply) as service:
        bench.configure(service)
        ended = bench.lookup()
        assert (ended.code, "sent 2 times and not answered" in ended.err) == (4, True)
        assert service.asked() == {ANN["email"]: 2}
        assert bench.names() == ["in.csv", "out.csv.progress", "syncengine.yaml"]


def test_a_wait_over_max_wait_ends_it(tmp_path: Path) -> None:
    with Service(lambda *_: Reply({}, 429, {"Retry-After": "600"})) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", "email\nann@example.com\n")
        ended = bench.lookup()
        assert (ended.code, "asks to wait 600 s" in ended.err) == (4, True)
        assert len(service.bodies) == 1


def test_a_time_that_is_none_never_reaches_the_table(tmp_path: Path) -> None:
    odd = found((ANN, [result(1, received="=HYPERLINK(1)", email="")]))
    with Service(around(odd)) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", "email\nann@example.com\n")
        assert bench.lookup().code == 0
        assert (tmp_path / "out.csv").read_text().endswith("ann@example.com,1,one,\n")


def test_an_answer_of_fewer_words_is_understood(tmp_path: Path) -> None:
    short = {"status": "success", "searches": [{"email": "ANN@example.com", "results": [{"leadId": 499791}]}]}
    with Service(around(short)) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", "email\nann@example.com\n")
        assert bench.lookup().code == 0
        assert bench.matches() == [("499791", "one")]


@pytest.mark.parametrize("shown", ["+447700900123", "07700900123", "0044 7700 900123", "(0)7700-900123"])
def test_a_lead_whose_number_is_written_otherwise_is_the_right_one(shown: str, tmp_path: Path) -> None:
    with Service(lambda s, _: Reply(found((s[0], [result(1, phone1="02079460018", phone3=shown)])))) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", "phone\n07700 900123\n07700 900124\n")
        assert bench.lookup(by="phone").code == 4
        assert bench.matches() == [("1", "one"), ("", "unreadable")]


def test_the_key_is_in_no_message(tmp_path: Path) -> None:
    with Service(lambda *_: Reply({"status": "Error", "message": f"key {KEY} unknown"}, 401)) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", "email\nann@example.com\n")
        ended = bench.lookup("--format", "json")
        assert (ended.code, KEY in ended.out + ended.err) == (4, False)
        assert "Leads > Search" in ended.out
