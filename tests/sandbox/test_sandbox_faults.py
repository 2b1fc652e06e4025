"""Every fault, over a real socket: what the client sees, and what was really done."""

from __future__ import annotations

import email.utils
import gzip
import http.client
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time

import msgspec
import pytest

from syncengine.sandbox import Fault, FaultRule, Script

LEADS = "/restapi/v1.3/leads"
THREE = ("2932682", "2932683", "2932684")
ALL_DONE = [("update", number) for number in THREE]


def _request(driver, *numbers, pad=""):
    body = json.dumps({"leads": [{"id": number, "update": {"c1": "x" + pad}} for number in numbers]}).encode()
    head = f"PUT {LEADS} HTTP/1.1\r\nHost: x\r\nX_KEY: {driver.running.api_key}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _read_to_end(sock):
    """What arrives, and whether it ended in good order or was reset."""
    data = b""
    while True:
        try:
            block = sock.recv(65_536)
        except ConnectionResetError:
            return data, "reset"
        if not block:
            return data, "closed"
        data += block


def _ids(answer):
    return [element["id"] for element in answer.json["leads"]]


@pytest.mark.parametrize(
    ("fault", "seen", "ending", "done"),
    [
        ({"read": "reset"}, False, "reset", False),
        ({"read": "reset_half"}, False, "reset", False),
        ({"effect": "none", "answer": "reset"}, False, "reset", False),
        ({"effect": "all", "answer": "reset"}, False, "reset", True),
        ({"effect": "none", "answer": "close"}, False, "closed", False),
        ({"effect": "all", "answer": "close"}, False, "closed", True),
        ({"effect": "all", "answer": "reset_half"}, True, "reset", True),
        ({"effect": "none", "answer": "close_half"}, True, "closed", False),
    ],
)
def test_connections_that_break(faulty, fault, seen, ending, done):
    driver = faulty({"fault": fault, "match": {"times": 1}})
    with driver.raw() as sock:
        sock.sendall(_request(driver, *THREE))
        data, ended = _read_to_end(sock)
    assert ended == ending
    assert data.startswith(b"HTTP/1.1 200 OK\r\n") is seen
    body = data.partition(b"\r\n\r\n")[2]
    assert not seen or (body and body[-1:] != b"}")
    assert driver.running.idle(10)
    assert driver.done == (ALL_DONE if done else [])
    (logged,) = driver.requests
    assert logged["fault"] == "rules[0]"
    assert logged["status"] == (200 if seen else None)
    assert driver.update("2932682").json["status"] == "Success"


def test_half_of_the_body_is_read_before_the_reset(faulty):
    driver = faulty({"fault": {"read": "reset_half"}})
    request = _request(driver, *THREE)
    body = request.partition(b"\r\n\r\n")[2]
    with driver.raw() as sock:
        sock.sendall(request)
        assert _read_to_end(sock) == (b"", "reset")
    assert driver.requests[0]["body"] == body[: len(body) // 2].decode()


def test_nobody_is_let_in_for_a_while(faulty):
    driver = faulty({"match": {"nth": 1}, "fault": {"refuse_seconds": 30}})
    with driver.raw() as sock:
        sock.sendall(_request(driver, "2932682"))
        assert _read_to_end(sock) == (b"", "reset")
    with pytest.raises(ConnectionRefusedError):
        driver.raw()
    assert driver.done == []


def test_the_door_opens_again_on_the_same_port(faulty):
    driver = faulty({"match": {"nth": 1}, "fault": {"refuse_seconds": 0.05}})
    with pytest.raises(ConnectionError):
        driver.update("2932682")

    def gets_in():
        try:
            return driver.update("2932682").status == 200
        except ConnectionRefusedError:
            return False

    assert _wait_for(gets_in)
    assert driver.done == [("update", "2932682")]


def test_an_answer_that_never_comes_is_done_or_not(faulty):
    driver = faulty(
        {"match": {"nth": 1}, "fault": {"effect": "all", "answer": "never"}},
        {"match": {"nth": 2}, "fault": {"effect": "none", "answer": "never"}},
    )
    for number in THREE[:2]:
        with driver.raw() as sock:
            sock.sendall(_request(driver, number))
            assert select.select([sock], [], [], 0.2)[0] == []
    assert driver.running.idle(10)
    assert driver.done == [("update", THREE[0])]


def _wait_for(condition):
    """Look again until it holds; a test that waits in vain fails by its own assertion."""
    for _ in range(500):
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_a_delay_before_the_effect_holds_it_back(faulty):
    driver = faulty({"match": {"nth": 1}, "fault": {"delay_before": 3600}})
    with driver.raw() as sock:
        sock.sendall(_request(driver, "2932682"))
        assert select.select([sock], [], [], 0.1)[0] == []
        assert driver.update("2932683").status == 200
        driver.running.close()
    assert driver.done == [("update", "2932683")]


def test_a_delay_after_the_effect_holds_the_answer_back(faulty):
    driver = faulty({"match": {"nth": 1}, "fault": {"delay_after": 3600}})
    with driver.raw() as sock:
        sock.sendall(_request(driver, "2932682"))
        assert _wait_for(lambda: driver.done == [("update", "2932682")])
        assert select.select([sock], [], [], 0.1)[0] == []


@pytest.mark.parametrize("step", ["delay_before", "delay_after"])
def test_after_a_delay_all_goes_on(faulty, step):
    driver = faulty({"fault": {step: 0.05}})
    assert driver.update(*THREE).status == 200
    assert driver.done == ALL_DONE


@pytest.mark.parametrize("answer", ["reset", "never", "normal"])
def test_an_effect_that_comes_late(faulty, answer):
    driver = faulty({"match": {"nth": 1}, "fault": {"effect": {"late": 0.2}, "answer": answer}})
    with driver.raw() as sock:
        sock.sendall(_request(driver, *THREE))
        if answer == "normal":
            assert sock.recv(65_536).startswith(b"HTTP/1.1 200")
        elif answer == "reset":
            assert _read_to_end(sock) == (b"", "reset")
        assert driver.effects == []
    assert driver.running.idle(10)
    assert driver.done == ALL_DONE
    assert {effect["request"] for effect in driver.effects} == {1}


def test_a_late_effect_is_not_lost_when_the_sandbox_closes(faulty):
    driver = faulty({"fault": {"effect": {"late": 3600}, "answer": "reset"}})
    with pytest.raises(ConnectionError):
        driver.update(*THREE)
    assert driver.effects == []
    assert driver.running.idle(0.05) is False
    driver.running.close()
    assert driver.done == ALL_DONE


def test_a_body_read_slowly_blocks_the_writer(faulty):
    driver = faulty({"fault": {"read": "slow", "bytes_per_second": 1000}})
    with driver.raw() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        sock.settimeout(0.3)
        with pytest.raises(TimeoutError):
            sock.sendall(_request(driver, "2932682", pad="x" * 2_000_000))
        driver.running.close()
    assert driver.done == []


def test_latency_is_added_to_every_request(start):
    driver = start(latency_ms=150)
    driver.update("2932682")
    begun = time.monotonic()
    driver.update("2932682")
    # Never earlier; how much later is the machine's affair.
    assert time.monotonic() - begun >= 0.15


STATUSES = [400, 401, 403, 404, 405, 408, 409, 411, 413, 415, 422, 429, 500, 502, 503, 504]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("done", [True, False])
def test_any_status_with_or_without_the_effect(faulty, status, done):
    effect = "all" if done else "none"
    driver = faulty({"fault": {"effect": effect, "answer": {"status": status, "body": "error", "message": "No luck"}}})
    answer = driver.update(*THREE)
    assert (answer.status, answer.json) == (status, {"status": "Error", "message": "No luck"})
    assert driver.done == (ALL_DONE if done else [])


@pytest.mark.parametrize("first", [0, 1, 2])
def test_a_service_that_stops_halfway(faulty, first):
    driver = faulty({"fault": {"effect": {"first": first}, "answer": {"status": 500, "body": "html"}}})
    answer = driver.update(*THREE)
    assert (answer.status, answer.headers["Content-Type"]) == (500, "text/html; charset=utf-8")
    assert driver.done == ALL_DONE[:first]


def test_retry_after_in_seconds_and_as_a_date(faulty):
    driver = faulty(
        {"match": {"nth": 1}, "fault": {"effect": "none", "answer": {"status": 429, "retry_after": 7}}},
        {"match": {"nth": 2}, "fault": {"effect": "none", "answer": {"status": 503, "retry_after_date": 60}}},
    )
    assert driver.update("2932682").headers["Retry-After"] == "7"
    headers = driver.update("2932682").headers
    later = email.utils.parsedate_to_datetime(headers["Retry-After"])
    assert (later - email.utils.parsedate_to_datetime(headers["Date"])).total_seconds() in (59, 60, 61)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects(faulty, status):
    elsewhere = "http://127.0.0.1:9/elsewhere"
    driver = faulty({"fault": {"effect": "none", "answer": {"status": status, "location": elsewhere, "body": "empty"}}})
    answer = driver.update("2932682")
    assert (answer.status, answer.headers["Location"], answer.raw) == (status, elsewhere, b"")


@pytest.mark.parametrize(
    ("answer", "check"),
    [
        ({"body": "html"}, lambda raw: raw.startswith(b"<!DOCTYPE html>")),
        ({"body": "empty"}, lambda raw: raw == b""),
        ({"body": "garbage"}, lambda raw: len(raw) == 512 and raw[:1] not in b"{[<"),
        ({"body": "cut"}, lambda raw: raw.startswith(b'{"status":"Success"') and not raw.endswith(b"}")),
        ({"body": "text", "text": "null"}, lambda raw: raw == b"null"),
        ({"body": "normal", "chunked": True}, lambda raw: len(json.loads(raw)["leads"]) == 3),
        ({"body": "normal", "gzip": True}, lambda raw: len(json.loads(gzip.decompress(raw))["leads"]) == 3),
        ({"body": "normal", "gzip": True, "chunked": True}, lambda raw: b"Success" in gzip.decompress(raw)),
        ({"body": "huge", "megabytes": 2}, lambda raw: len(raw) == 2 << 20 and len(json.loads(raw)["leads"]) == 3),
        ({"body": "huge", "megabytes": 1, "chunked": True}, lambda raw: len(json.loads(raw)["leads"]) == 3),
    ],
)
def test_bodies_under_200(faulty, answer, check):
    driver = faulty({"fault": {"effect": "all", "answer": answer}})
    answered = driver.update(*THREE)
    assert answered.status == 200
    assert check(answered.raw)
    assert driver.done == ALL_DONE


def test_headers_can_be_added_replaced_and_lie(faulty):
    lying = {"headers": {"Content-Type": "text/plain", "Content-Length": "999999", "X-Trace": "a"}, "close": True}
    driver = faulty({"fault": {"effect": "all", "answer": lying}})
    connection = driver.connect()
    connection.request(
        "PUT", LEADS, _request(driver, "2932682").partition(b"\r\n\r\n")[2], {"X_KEY": driver.running.api_key}
    )
    response = connection.getresponse()
    assert (response.getheader("Content-Type"), response.getheader("X-Trace")) == ("text/plain", "a")
    assert response.getheader("Connection") == "close"
    with pytest.raises(http.client.IncompleteRead):
        response.read()


@pytest.mark.parametrize("body", ["flood", "drip"])
def test_an_answer_without_end_stops_with_the_client(faulty, body):
    driver = faulty({"match": {"nth": 1}, "fault": {"effect": "all", "answer": {"body": body}}})
    connection = driver.connect()
    connection.request(
        "PUT", LEADS, _request(driver, "2932682").partition(b"\r\n\r\n")[2], {"X_KEY": driver.running.api_key}
    )
    response = connection.getresponse()
    assert response.read(40).startswith(b'{"status":"Success","padding":"')
    response.close()
    connection.close()
    assert driver.running.idle(10)
    assert driver.update("2932682").status == 200


@pytest.mark.parametrize(
    ("distortions", "ids"),
    [
        (["reverse"], THREE[::-1]),
        (["missing_first"], THREE[1:]),
        (["missing_last"], THREE[:2]),
        (["missing_all"], ()),
        (["extra"], (*THREE, "999999999999")),
        (["duplicate"], (*THREE, THREE[0])),
        (["ids_as_numbers"], tuple(map(int, THREE))),
        (["reverse", "missing_first"], THREE[1::-1]),
    ],
)
def test_elements_in_disorder(faulty, distortions, ids):
    driver = faulty({"fault": {"elements": distortions}})
    assert tuple(_ids(driver.update(*THREE))) == ids
    assert driver.done == ALL_DONE


def test_elements_that_contradict(faulty):
    driver = faulty(
        {"match": {"nth": 1}, "fault": {"elements": ["contradictory"]}},
        {"match": {"nth": 2}, "fault": {"elements": ["duplicate_differing"]}},
        {"match": {"nth": 3}, "fault": {"elements": ["no_warnings"]}},
        {"match": {"nth": 4}, "fault": {"reject": {"message": "Bad"}, "elements": ["errors_as_objects"]}},
    )
    contradictory = driver.update("2932682").json["leads"][0]
    assert (contradictory["success"], contradictory["errors"]) == (True, ["Postcode is not valid"])
    assert [element["success"] for element in driver.update("2932682").json["leads"]] == [True, False]
    assert driver.update("2932682").json["leads"][0].keys() == {"id", "success", "message"}
    assert driver.update("2932682").json["leads"][0]["errors"] == [{"code": 100, "message": "Bad"}]


@pytest.mark.parametrize(
    ("distortion", "status"),
    [("status_warning", "Warning"), ("status_lower_case", "success"), ("envelope_error", "Error")],
)
def test_words_of_the_envelope(faulty, distortion, status):
    driver = faulty({"fault": {"elements": [distortion]}})
    answer = driver.update("2932682")
    assert (answer.status, answer.json["status"]) == (200, status)
    assert ("leads" in answer.json) is (distortion != "envelope_error")
    assert driver.financials([2932682], newPayout=1).json["status"] == status


def test_leads_that_fail_with_the_words_given(faulty):
    driver = faulty({"fault": {"reject": {"message": "Lead is locked", "leads": ["2932683", "q123"]}}})
    answer = driver.update(*THREE)
    assert [element["success"] for element in answer.json["leads"]] == [True, False, True]
    assert answer.json["leads"][1]["errors"] == ["Lead is locked"]
    assert driver.done == [ALL_DONE[0], ALL_DONE[2]]
    quarantined = driver.leads({"quarantineId": "123", "update": {"c1": "x"}})
    assert quarantined.json["leads"][0]["success"] is False
    process = {"quarantineIds": [123, 124], "action": "process"}
    details = driver.call("POST", "/restapi/v1.3/quarantine/process", process).json["details"]
    assert details == {"123": "Lead is locked", "124": "Queued for processing"}
    assert driver.financials([2932682, 2932683], newPayout=1).json["status"] == "Warning"
    assert driver.financials([2932683], newPayout=1).json == {
        "status": "Error",
        "message": "Lead 2932683: Lead is locked",
    }
    assert driver.done[2:] == [("release", "q124"), ("financials", "2932682")]


def test_a_lead_that_fails_after_its_first_effects(faulty):
    driver = faulty({"fault": {"reject": {"done": 2}}})
    driver.leads({"id": "2932682", "update": {"c1": "x"}, "triggerDeliveryIds": ["1053", "1054"]})
    assert [kind for kind, _ in driver.done] == ["update", "trigger"]


def _status_of(driver):
    return [driver.update("2932682").status for _ in range(6)]


@pytest.mark.parametrize(
    ("match", "struck"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"nth": 2}, [2]),
        ({"nth": [1, 5]}, [1, 5]),
        ({"every": 3}, [3, 6]),
        ({"after": 4}, [5, 6]),
        ({"after": 1, "every": 2, "times": 2}, [3, 5]),
        ({"times": 2}, [1, 2]),
        ({"path": "*/leads", "method": "put", "nth": 1}, [1]),
        ({"path": "*/leadfinancials"}, []),
        ({"lead": "2932682", "times": 1}, [1]),
        ({"lead": "2932683"}, []),
        ({"delivery": "1053"}, []),
        ({"probability": 0.0, "seed": 1}, []),
        ({"probability": 1.0, "seed": 1}, [1, 2, 3, 4, 5, 6]),
    ],
)
def test_which_requests_are_struck(faulty, match, struck):
    driver = faulty({"match": match, "fault": {"effect": "none", "answer": {"status": 500}}})
    assert [n for n, status in enumerate(_status_of(driver), start=1) if status == 500] == struck


def test_probability_is_repeatable_by_its_seed(faulty):
    rule = {"match": {"probability": 0.5, "seed": 11}, "fault": {"effect": "none", "answer": {"status": 500}}}
    driver = faulty(rule)
    first = _status_of(driver)
    driver.running.set_faults(Script(rules=[_rule(rule)]))
    assert _status_of(driver) == first
    assert set(first) == {200, 500}


def _rule(data):
    return msgspec.convert(data, FaultRule)


def test_counts_are_of_the_requests_that_meet_the_other_conditions(faulty):
    driver = faulty({"match": {"delivery": "1053", "nth": 2}, "fault": {"effect": "none", "answer": {"status": 500}}})
    trigger = {"id": "2932682", "triggerDeliveryIds": ["1053"]}
    statuses = [
        driver.leads(trigger).status,
        driver.update("2932682").status,
        driver.leads({"id": "2932682", "triggerDeliveryId": "1054"}).status,
        driver.leads(trigger).status,
        driver.leads(trigger).status,
    ]
    assert statuses == [200, 200, 200, 500, 200]


def test_the_first_rule_that_fits_strikes(faulty):
    driver = faulty(
        {"name": "first", "match": {"every": 2}, "fault": {"effect": "none", "answer": {"status": 500}}},
        {"name": "second", "match": {"nth": [1, 4]}, "fault": {"effect": "none", "answer": {"status": 503}}},
    )
    assert _status_of(driver) == [503, 500, 200, 500, 200, 500]
    assert [request.get("fault") for request in driver.requests][:4] == ["second", "first", None, "first"]


@pytest.mark.parametrize(
    ("leads", "named"),
    [({"leads": [2932682]}, "2932682"), ({"quarantineIds": [123]}, "q123"), ({"quarantineId": "123"}, "q123")],
)
def test_leads_of_every_call_can_be_matched(faulty, leads, named):
    driver = faulty({"match": {"lead": named}, "fault": {"effect": "none", "answer": {"status": 500}}})
    path = "/restapi/v1.3/leadfinancials" if "leads" in leads else "/restapi/v1.3/quarantine/process"
    assert driver.call("POST", path, leads).status == 500
    assert driver.call("POST", path, "no json").status != 500


def test_faults_can_be_changed_while_it_runs(start):
    driver = start()
    assert driver.update("2932682").status == 200
    driver.running.set_faults(Script(rules=[FaultRule(fault=Fault(delay_after=0.01, effect="none"))]))
    assert driver.update("2932682").status == 200
    driver.running.set_faults(None)
    driver.update("2932682")
    assert len(driver.done) == 2


CLIENT = """
import pathlib, signal, socket, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
signal.signal(signal.SIGINT, lambda *_: sys.exit(8))
port, pid_file = int(sys.argv[1]), pathlib.Path(sys.argv[2])
sock = socket.create_connection(("127.0.0.1", port))
import os
pid_file.write_text(str(os.getpid()))
sock.sendall(sys.stdin.buffer.read())
print(len(sock.recv(65536)), flush=True)
sock.recv(1)
"""


def _client(driver, pid_file):
    process = subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(driver.running.port), str(pid_file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    process.stdin.write(_request(driver, *THREE))
    process.stdin.close()
    return process


@pytest.mark.parametrize(
    "step",
    ["received", "before_effect", "after_effect", "half_answer", "answered"],
)
def test_a_client_can_be_killed_at_every_step(faulty, tmp_path, step):
    order = {"send": "KILL", "at": step, "pid_file": "client.pid"}
    driver = faulty({"fault": {"signal": order}})
    process = _client(driver, tmp_path / "client.pid")
    assert process.wait(20) == -signal.SIGKILL
    process.stdout.close()
    assert driver.running.idle(10)
    assert driver.done == ALL_DONE


@pytest.mark.parametrize(("send", "code"), [("TERM", 7), ("INT", 8)])
def test_a_client_can_be_asked_to_stop(faulty, tmp_path, send, code):
    driver = faulty(
        {"fault": {"signal": {"send": send, "at": "received", "pid_file": "client.pid"}, "delay_before": 0.1}}
    )
    process = _client(driver, tmp_path / "client.pid")
    assert process.wait(20) == code
    process.stdout.close()


def test_a_client_can_be_paused_for_a_while(faulty, tmp_path):
    order = {"send": "STOP", "at": "received", "pid_file": "client.pid", "continue_after": 0.3}
    driver = faulty({"match": {"nth": 1}, "fault": {"signal": order, "effect": "all", "answer": "close_half"}})
    process = _client(driver, tmp_path / "client.pid")
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    assert int(process.stdout.readline()) > 0
    process.wait(20)
    process.stdout.close()
    assert driver.done == ALL_DONE


@pytest.mark.parametrize("process", [{"pid_file": "none.pid"}, {"pid": 2**22 + 1}, {"pid": os.getpid()}])
def test_a_signal_to_nobody_changes_nothing(faulty, process):
    driver = faulty({"fault": {"signal": {"send": "TERM", "at": "answered"} | process}})
    assert driver.update("2932682").status == 200
    assert driver.running.idle(10)


def test_a_client_that_resets_harms_nobody_else(start):
    driver = start()
    for _ in range(5):
        sock = driver.raw()
        sock.sendall(_request(driver, "2932682")[:-5])
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
    assert driver.update("2932682").status == 200


def test_half_of_an_answer_then_a_signal_then_the_rest(faulty):
    order = {"send": "TERM", "at": "half_answer", "pid_file": "none.pid"}
    driver = faulty({"fault": {"signal": order}})
    assert _ids(driver.update(*THREE)) == list(THREE)


def test_nothing_is_read_from_a_connection_before_its_head(faulty):
    driver = faulty({"fault": {"read": "reset"}})
    with driver.raw() as sock:
        assert select.select([sock], [], [], 0.1)[0] == []
        sock.sendall(_request(driver, "2932682"))
        assert _read_to_end(sock)[1] == "reset"
    assert driver.effects == []
