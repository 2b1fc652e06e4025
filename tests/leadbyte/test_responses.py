"""What an answer means, row by row, without a socket."""

from __future__ import annotations

import gzip
import json
import zlib
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.core.outcomes import (
    Denied,
    Element,
    Elements,
    LeadEntry,
    Lost,
    NotSent,
    Outcome,
    Redirected,
    Refused,
    Unread,
    Verdict,
    judge,
)
from syncengine.leadbyte.payload import MAX_BODY, MAX_TEXT, clean, first_text
from syncengine.leadbyte.responses import MAX_RETRY_AFTER, HttpAnswer, parse_retry_after, read_answer

from .samples import KEY, NOW, SECRET, entry, financials, reprocess, trigger, update

ONE = (entry(update()),)
TWO = (entry(update("11")), entry(update("22")))
MONEY = (entry(financials()),)
GROUP = (entry(financials("11")), entry(financials("22")))
PAGE = b"<!DOCTYPE html><html><head><title>Sign in &amp; go</title></head><body>Hello</body></html>"


def read(body: Any, entries: tuple[LeadEntry, ...] = ONE, status: int = 200, **headers: str) -> Verdict:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = HttpAnswer(status=status, headers=names, body=raw)
    return read_answer(answer, entries, now=NOW, hide=SECRET.hide_in)


def envelope(*leads: Any, status: str = "Success", message: str = "OK") -> dict[str, Any]:
    return {"status": status, "message": message, "leads": list(leads)}


def lead(number: Any = "2932682", success: Any = True, message: str = "Lead updated", **more: Any) -> dict[str, Any]:
    return {"id": number, "success": success, "message": message, **more}


def test_the_documented_answer() -> None:
    assert read(envelope(lead(warnings=[], errors=[]))) == Elements({0: Element(True, "Lead updated")}, "OK")


@pytest.mark.parametrize("number", ["2932682", 2932682])
@pytest.mark.parametrize("status", ["Success", "success", "SUCCESS ", "Warning", "warning", "Error", "Odd"])
def test_elements_decide_under_any_status_word(number: Any, status: str) -> None:
    assert read(envelope(lead(number), status=status)) == Elements({0: Element(True, "Lead updated")}, "OK")
    assert read(envelope(lead(number, False, "No"), status=status)) == Elements({0: Element(False, "No")}, "OK")


def test_nineteen_digits_are_matched_exactly() -> None:
    entries = (entry(update("9007199254740993")), entry(update("9999999999999999999")))
    body = (
        b'{"status":"Success","leads":'
        b'[{"id":9999999999999999999,"success":true},{"id":9007199254740992,"success":true}]}'
    )
    assert read(body, entries) == Elements({1: Element(True)}, "Success")


@pytest.mark.parametrize(
    ("leads", "expected"),
    [
        ([lead("22", False, "b"), lead("11", True, "a")], {0: Element(True, "a"), 1: Element(False, "b")}),
        ([lead("22")], {1: Element(True, "Lead updated")}),
        ([lead("33"), lead("22"), "x", None, 7, [], {}], {1: Element(True, "Lead updated")}),
        ([lead("11"), lead(11), lead("22")], {0: Element(True, "Lead updated"), 1: Element(True, "Lead updated")}),
        ({"0": lead("11"), "2": lead("22", False, "no")}, {0: Element(True, "Lead updated"), 1: Element(False, "no")}),
        ([{"leadId": 11, "success": True}], {0: Element(True)}),
        ([lead(11.0), lead(True), lead(None), lead([11])], {}),
        ([], {}),
    ],
)
def test_elements_are_matched_by_id(leads: Any, expected: dict[int, Element]) -> None:
    assert read({"status": "Success", "message": "OK", "leads": leads}, TWO) == Elements(expected, "OK")


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        (lead(success="true"), True),
        (lead(success="FALSE"), False),
        (lead(success=1), None),
        (lead(success="1"), None),
        (lead(success="yes"), None),
        (lead(success=None), None),
        (lead(success=[True]), None),
        ({"id": "2932682", "message": "queued"}, None),
        (lead(errors=None), True),
        (lead(errors=""), True),
        (lead(errors={}), True),
        (lead(errors=["x"]), None),
        (lead(errors="x"), None),
        (lead(errors={"postcode": "bad"}), None),
        (lead(errors=[{}]), None),
        (lead(success=False, errors=["x"]), False),
    ],
)
def test_success_is_believed_only_where_nothing_contradicts_it(element: Any, expected: bool | None) -> None:
    verdict = read(envelope(element))
    assert isinstance(verdict, Elements)
    assert verdict.by_position[0].success is expected


@pytest.mark.parametrize("second", [lead(success=False), lead(message="Other words"), lead(success=None)])
def test_differing_elements_for_one_lead_tell_nothing(second: Any) -> None:
    verdict = read(envelope(lead(), second, lead()))
    assert isinstance(verdict, Elements)
    assert verdict.by_position[0].success is None


def test_words_are_kept_verbatim_warnings_and_objects_included() -> None:
    element = lead(
        success=False,
        message="Lead not updated",
        errors=["Postcode “X” unknown", {"code": 12, "field": "postcode", "deep": [[[[[1]]]]]}],
        warnings=["Slow", {"code": 7.50}],
    )
    assert read(envelope(element)) == Elements(
        {
            0: Element(
                False,
                'Lead not updated; Postcode “X” unknown; {"code": 12, "field": "postcode", "deep": [[[...]]]}',
                ("Slow", '{"code": 7.5}'),
            )
        },
        "OK",
    )


def test_words_are_bounded_free_of_controls_and_of_the_key() -> None:
    message = f"Bad key {KEY}\x1b[31m\0\nline" + "x" * 5000
    verdict = read(envelope(lead(message=message, warnings=["w"] * 50)))
    assert isinstance(verdict, Elements)
    element = verdict.by_position[0]
    assert element.message.startswith("Bad key [api key][31m linexxx")
    assert len(element.message) == MAX_TEXT
    assert element.warnings == ("w",) * 20 + ("and 30 more warnings",)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"status": "Error", "message": "Nothing done"}, "Nothing done"),
        ({"status": "ERROR", "message": "No", "errors": ["a", "b"], "leads": []}, "No; a; b"),
        ({"status": "error", "error": {"message": "inner", "code": 3}}, "inner"),
        ({"status": "error"}, "error"),
    ],
)
def test_an_error_envelope_without_elements_is_a_refusal(body: Any, message: str) -> None:
    assert read(body) == Refused(message)


def test_an_envelope_that_names_no_lead_answers_for_none() -> None:
    assert read({"status": "Success", "message": "OK"}, TWO) == Elements({}, "OK")
    assert read({"status": "Warning", "message": "Hm", "leads": None}, TWO) == Elements({}, "Hm")


UNREADABLE = [
    b"",
    b" \r\n",
    PAGE,
    b"OK",
    b"\x00\xff\xfe",
    b'{"status": "Success", "leads": [{"id": "2932682", "succ',
    b'{"status": "Error", "status": "Success"}',
    b'{"status":"Success","leads":[{"id":"2932682","success":false,"success":true}]}',
    b'{"status": "Success", "leads": NaN}',
    b'{"status": "Success"} {"status": "Success"}',
    b"[" * 200_000,
    b'{"a":' * 200_000,
    b"null",
    b"true",
    b"7",
    b'"Success"',
    b"[]",
    b"{}",
    b'{"status": "Done"}',
    b'{"status": true}',
    json.dumps({"status": "Success"}).encode("utf-16"),
    '{"status": "Succ\u00e8s"}'.encode("latin-1"),
]


@pytest.mark.parametrize("body", UNREADABLE, ids=lambda body: repr(body[:24]))
@pytest.mark.parametrize("entries", [ONE, MONEY], ids=["leads", "financials"])
def test_an_unreadable_success_tells_nothing(body: bytes, entries: tuple[LeadEntry, ...]) -> None:
    verdict = read(body, entries)
    assert isinstance(verdict, Lost)
    assert verdict.message.startswith("HTTP 200: the answer ")


@pytest.mark.parametrize(
    ("key", "first"),
    [
        ("status", '"Error"'),
        ("leads", '[{"id":"2932682","success":false,"message":"no"}]'),
        ("id", '"7"'),
        ("success", "false"),
        ("warnings", "[]"),
        ("errors", "[]"),
        ("errors", '["no"]'),
        ("message", '"OK"'),
    ],
)
def test_a_key_that_is_there_twice_makes_any_answer_unreadable(key: str, first: str) -> None:
    whole = (
        '{"status":"Success","message":"OK","leads":'
        '[{"id":"2932682","success":true,"message":"Lead updated","warnings":[],"errors":[]}]}'
    )
    assert isinstance(read(whole.encode()), Elements)
    twice = whole.replace(f'"{key}":', f'"{key}":{first},"{key}":')
    assert isinstance(read(twice.encode()), Lost)


def test_a_byte_order_mark_does_no_harm() -> None:
    body = b"\xef\xbb\xbf" + json.dumps(envelope(lead())).encode()
    assert read(body) == Elements({0: Element(True, "Lead updated")}, "OK")


RAW = json.dumps(envelope(lead())).encode()
BARE = zlib.compressobj(wbits=-15)


def packed(data: bytes) -> bytes:
    """Without the time of day, or every worker would collect tests of other names."""
    return gzip.compress(data, mtime=0)


@pytest.mark.parametrize(
    ("body", "encoding", "readable"),
    [
        (packed(RAW), "gzip", True),
        (packed(RAW), "X-GZIP", True),
        (zlib.compress(RAW), "deflate", True),
        (BARE.compress(RAW) + BARE.flush(), "deflate", True),
        (RAW, "identity", True),
        (RAW, "gzip", False),
        (packed(RAW)[:-3], "gzip", False),
        (packed(RAW) + b"more", "gzip", False),
        (packed(packed(RAW)), "gzip, gzip", False),
        (RAW, "br", False),
        (packed(RAW[:-1] + b" " * MAX_BODY + b"}"), "gzip", False),
    ],
    ids=range(11),
)
def test_compressed_answers_are_unpacked_within_bounds(body: bytes, encoding: str, *, readable: bool) -> None:
    verdict = read(body, content_encoding=encoding)
    assert isinstance(verdict, Elements if readable else Lost)


def test_an_answer_over_the_size_limit_is_not_believed() -> None:
    answer = HttpAnswer(status=200, headers={}, body=RAW, whole=False)
    assert isinstance(read_answer(answer, ONE, now=NOW), Lost)


STATUSES = {
    **dict.fromkeys((300, 301, 302, 303, 304, 307, 308, 399), Redirected),
    **dict.fromkeys((400, 404, 422), Refused),
    **dict.fromkeys((401, 403), Denied),
    **dict.fromkeys((405, 411, 413, 415), Unread),
    429: NotSent,
    **dict.fromkeys((0, 100, 101, 199, 402, 406, 407, 408, 409, 410, 418, 423, 425, 451, 499), Lost),
    **dict.fromkeys((500, 501, 502, 503, 504, 520, 599, 600, 999), Lost),
}


@pytest.mark.parametrize(("status", "kind"), STATUSES.items())
@pytest.mark.parametrize("body", [b"", PAGE, b'{"status":"Success","leads":[{"id":"2932682","success":true}]}'])
@pytest.mark.parametrize("entries", [ONE, MONEY], ids=["leads", "financials"])
def test_the_status_decides_outside_2xx(status: int, kind: type, body: bytes, entries: tuple[LeadEntry, ...]) -> None:
    assert type(read(body, entries, status)) is kind


@pytest.mark.parametrize("status", [201, 202, 206, 299])
def test_every_2xx_is_read(status: int) -> None:
    assert read(envelope(lead()), status=status) == Elements({0: Element(True, "Lead updated")}, "OK")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"status": "Error", "message": "Lead 1 not found"}, "Lead 1 not found"),
        ({"errors": ["a", {"b": 1}]}, 'a; {"b": 1}'),
        (["one"], '["one"]'),
        (PAGE, "Sign in & go"),
        (b"<html><script>var a = 1</script><p>Gone\x07 away</p></html>", "Gone away"),
        (b"plain words", "plain words"),
        (b"", "HTTP 404 without a message"),
        (b"{}", "HTTP 404 without a message"),
    ],
)
def test_a_refusal_keeps_the_services_own_words(body: Any, words: str) -> None:
    assert read(body, status=404) == Refused(words)


def test_a_denial_names_the_permission_to_tick() -> None:
    entries = (entry(update("11"), trigger(lead="11")), entry(reprocess("22")))
    verdict = read({"status": "Error", "message": f"Key {KEY} may not"}, entries, 403)
    assert verdict == Denied(
        "the service refused the API key (HTTP 403): Key [api key] may not; check that the key is the account's, "
        "and that it has the permission Leads > Reprocess and Leads > Update"
    )
    money = read(b"", MONEY, 401)
    assert isinstance(money, Denied)
    assert money.message == (
        "the service refused the API key (HTTP 401); check that the key is the account's, and that it has the "
        "permission Update Payout/Revenue"
    )


def test_a_redirect_tells_the_host_and_no_more() -> None:
    verdict = read(b"", status=302, location=f"https://user:pw@elsewhere.example:8443/path?key={KEY}")
    assert isinstance(verdict, Redirected)
    assert "https://elsewhere.example;" in verdict.message
    assert not any(text in verdict.message for text in (KEY, "pw", "path"))


@pytest.mark.parametrize(
    ("headers", "target"),
    [
        ({"location": "https://elsewhere.example/x"}, " to https://elsewhere.example"),
        ({}, ""),
        ({"location": ""}, ""),
        ({"location": "/login?key=1"}, ""),
        ({"location": "https:///nowhere"}, ""),
        ({"location": "//elsewhere.example/x"}, ""),
        ({"location": "https://[bad"}, " to an address that cannot be read"),
    ],
)
def test_a_redirect_is_told_with_what_can_be_read_of_its_address(headers: dict[str, str], target: str) -> None:
    assert read(b"", status=307, **headers) == Redirected(
        f"HTTP 307: the service redirects{target}; redirects are never followed, so check base_url of the account"
    )


def test_the_words_of_a_refusal_are_unpacked() -> None:
    packed = gzip.compress(json.dumps({"status": "Error", "message": "Lead 1 not found"}).encode())
    assert read(packed, status=404, content_encoding="gzip") == Refused("Lead 1 not found")
    assert read(b"no gzip at all", status=404, content_encoding="gzip") == Refused("HTTP 404 without a message")
    assert read(b"null", status=404) == Refused("HTTP 404 without a message")
    assert read({"error": "Gone"}, status=404) == Refused("Gone")
    assert read({"error": {"message": "Gone"}}, status=404) == Refused("Gone")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("1.5", 1.0),
        ("-5", 0.0),
        ("0", 0.0),
        ("9" * 5000, MAX_RETRY_AFTER),
        ("604801", MAX_RETRY_AFTER),
        ("0000000007", MAX_RETRY_AFTER),
        ("000000007", 7.0),
        ("Mon, 23 Nov 2026 14:01:00 +0200", 60.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(days=90), usegmt=True), 0.0),
        (format_datetime(NOW + timedelta(days=900), usegmt=True), MAX_RETRY_AFTER),
        ("Monday, 23-Nov-26 12:01:00 GMT", 60.0),
        ("Mon Nov 23 12:01:00 2026", 60.0),
        ("Mon, 99 Nov 2026 12:01:00 GMT", None),
        ("inf", None),
    ],
)
def test_retry_after_in_seconds_or_as_a_date(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, NOW) == seconds
    headers = {} if value is None else {"retry_after": value}
    assert read({"message": "Slow down"}, ONE, 429, **headers) == NotSent("Slow down", seconds, answered=True)


@settings(deadline=None)
@given(st.text(), st.datetimes(timezones=st.just(NOW.tzinfo)))
def test_retry_after_never_fails(value: str, now: Any) -> None:
    seconds = parse_retry_after(value, now)
    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER


@pytest.mark.parametrize("status", ["Success", "success", " SUCCESS"])
def test_financials_success_answers_for_every_lead(status: str) -> None:
    assert read({"status": status}, MONEY) == Elements({0: Element(True, status.strip())}, status.strip())
    shared = Element(True, "OK (by group answer)")
    assert read({"status": status, "message": "OK"}, GROUP) == Elements({0: shared, 1: shared}, "OK")


@pytest.mark.parametrize("status", ["Warning", "error"])
@pytest.mark.parametrize("entries", [MONEY, GROUP])
def test_financials_warning_or_error_is_a_refusal(status: str, entries: tuple[LeadEntry, ...]) -> None:
    assert read({"status": status, "message": "Not approved"}, entries) == Refused("Not approved")


def test_financials_elements_that_contradict_success_count_more() -> None:
    body = envelope(lead("22", False, "Not approved"), lead("11"))
    assert read(body, GROUP) == Elements(
        {0: Element(True, "OK (by group answer)"), 1: Element(False, "Not approved")}, "OK"
    )
    echo = {"status": "Success", "leads": [{"id": 11, "payout": 80}, 22]}
    verdict = read(echo, GROUP)
    assert isinstance(verdict, Elements)
    assert [element.success for element in verdict.by_position.values()] == [True, True]
    silent = {"status": "Success", "message": "OK", "leads": [{"id": 11, "message": "Hm", "errors": ["no"]}]}
    found = read(silent, GROUP)
    assert isinstance(found, Elements)
    assert [element.success for element in found.by_position.values()] == [None, True]
    assert read({"status": "Success", "message": "OK", "errors": ["no"]}, MONEY) == Lost(
        "the answer contradicts itself, success with errors: OK; no"
    )
    warned = read({"status": "Success", "message": "OK", "warnings": ["late"]}, MONEY)
    assert warned == Elements({0: Element(True, "OK", ("late",))}, "OK")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | st.just("2932682"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["status", "leads", "id", "success", "message", "errors", "warnings", "error", "leadId"]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)
ANY_PARCELS = st.sampled_from([ONE, TWO, MONEY, GROUP, (entry(update(), trigger("1"), trigger("2")),)])
HEADERS = st.dictionaries(
    st.sampled_from(["location", "retry-after", "content-encoding", "content-type"]),
    st.sampled_from(["gzip", "deflate", "//", "http://[", "5"]) | st.text(),
)


def hold_together(verdict: Verdict, entries: tuple[LeadEntry, ...]) -> None:
    judgement = judge(verdict, entries)
    assert [len(rulings) for rulings in judgement.rulings] == [len(each.parts) for each in entries]
    texts = [ruling.message for rulings in judgement.rulings for ruling in rulings]
    assert all(len(text) <= 2 * MAX_TEXT and "\0" not in text for text in texts)
    "".join(texts).encode()


@settings(deadline=None)
@given(st.integers(0, 999), HEADERS, st.binary(), ANY_PARCELS)
def test_no_bytes_under_any_status_raise(
    status: int, headers: dict[str, str], body: bytes, entries: tuple[LeadEntry, ...]
) -> None:
    verdict = read_answer(HttpAnswer(status=status, headers=headers, body=body), entries, now=NOW)
    hold_together(verdict, entries)


@settings(deadline=None)
@given(st.sampled_from([200, 200, 200, 400, 403, 429, 500]), JSON_VALUES, ANY_PARCELS)
def test_no_document_raises_and_none_is_applied_without_its_word(
    status: int, document: Any, entries: tuple[LeadEntry, ...]
) -> None:
    body = json.dumps(document).encode()
    verdict = read_answer(HttpAnswer(status=status, headers={}, body=body), entries, now=NOW)
    hold_together(verdict, entries)
    outcomes = {ruling.outcome for rulings in judge(verdict, entries).rulings for ruling in rulings}
    if Outcome.APPLIED in outcomes:
        assert status == 200
        assert b"true" in body.lower() or b"success" in body.lower()


@settings(deadline=None)
@given(st.binary(max_size=200_000))
def test_the_first_text_of_any_page_is_found_or_empty(body: bytes) -> None:
    assert len(clean(first_text(body))) <= MAX_TEXT


@pytest.mark.parametrize("piece", [b"<script>", b"<", b"<!--", b"<title>", b"&#", b"<title><", b"\xff"])
def test_hostile_pages_are_cheap(piece: bytes) -> None:
    assert len(clean(first_text(piece * 2_000_000))) <= MAX_TEXT


def test_a_lead_in_quarantine_is_matched_by_its_own_number() -> None:
    entries = (entry(update("quarantined:11")), entry(update("quarantined:22")))
    body = envelope(
        {"quarantineId": "22", "success": False, "message": "no"}, {"id": "11", "success": True}, {"quarantineId": 11}
    )
    verdict = read(body, entries)
    assert isinstance(verdict, Elements)
    assert verdict.by_position[1] == Element(False, "no")
    assert verdict.by_position[0].success is None


def test_differing_elements_keep_both_words_and_the_warnings() -> None:
    first, second = lead(message="a", warnings=["w"]), lead(success=False, message="b")
    for elements in ((first, second), (second, first)):
        verdict = read(envelope(*elements))
        assert isinstance(verdict, Elements)
        (element,) = verdict.by_position.values()
        assert element.success is None
        assert element.message == (
            f"the answer holds differing elements for this lead: {elements[0]['message']} / {elements[1]['message']}"
        )
        assert element.warnings == ("w",)


def test_an_element_without_a_word_on_success_keeps_what_it_said() -> None:
    verdict = read(envelope({"id": "2932682", "message": "queued"}))
    assert isinstance(verdict, Elements)
    assert verdict.by_position[0].message == "the answer does not say whether this lead succeeded: queued"
