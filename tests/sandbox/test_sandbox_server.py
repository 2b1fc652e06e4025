"""The wire and the folder: keep-alive, limits, many clients, restarts, and an end in good order."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest

from syncengine.sandbox import Sandbox, SandboxError, SandboxOptions

LEADS = "/restapi/v1.3/leads"


def _converse(driver, data):
    """Send raw bytes, and read the whole answer until the server closes."""
    with driver.raw() as sock:
        sock.sendall(data)
        answer = b""
        while block := sock.recv(65_536):
            answer += block
        return answer


def test_one_connection_serves_many_requests(start):
    driver = start()
    connection = driver.connect()
    for _ in range(3):
        driver.update("2932682", on=connection)
    driver.update("2932682")
    assert [request["connection"] for request in driver.requests] == [1, 1, 1, 2]
    assert [request["request"] for request in driver.requests] == [1, 2, 3, 4]


def test_requests_sent_together_are_answered_in_order(start):
    driver = start()
    one = f"GET {LEADS}/2932682?key={driver.running.api_key} HTTP/1.1\r\nHost: x\r\n".encode()
    answer = _converse(driver, one + b"\r\n" + one.replace(b"2932682", b"7") + b"Connection: close\r\n\r\n")
    assert answer.index(b"HTTP/1.1 200 OK") < answer.index(b"HTTP/1.1 404 Not Found")


def test_bodies_in_chunks_are_taken(start):
    driver = start()
    body = b'{"leads":[{"id":"2932682","update":{"c1":"x"}}]}'
    chunks = b"".join(b"%x;note=1\r\n%b\r\n" % (len(part), part) for part in (body[:7], body[7:]))
    head = f"PUT {LEADS} HTTP/1.1\r\nX_KEY: {driver.running.api_key}\r\nTransfer-Encoding: chunked\r\n"
    answer = _converse(driver, head.encode() + b"Connection: close\r\n\r\n" + chunks + b"0\r\nTrailer: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert driver.requests[0]["body"].encode() == body


def test_a_client_that_asks_first_is_invited(start):
    driver = start()
    head = "PUT / HTTP/1.1\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
    assert _converse(driver, head.encode()).startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"PUT / HTTP/1.1\r\n\r\n", 411),
        (b"PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"PUT / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", 413),
        (b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", 413),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 70_000, 431),
    ],
)
def test_what_is_not_taken_is_answered_and_closed(start, data, status):
    driver = start(max_body=1000)
    answer = _converse(driver, data)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Connection: close" in answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == "Error"


def test_http_1_0_closes_after_the_answer(start):
    assert _converse(start(), b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 404")


def test_many_clients_at_once_leave_a_log_without_gaps(start):
    driver = start(any_lead=True)

    def work(worker):
        connection = driver.connect()
        for turn in range(25):
            driver.update(*(str(1_000_000 + worker * 10_000 + turn * 10 + i) for i in range(10)), on=connection)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    effects = driver.effects
    assert [effect["seq"] for effect in effects] == list(range(1, 2001))
    assert len({effect["lead"] for effect in effects}) == 2000
    groups = [effect["request"] for effect in effects]
    assert all(len(set(groups[start : start + 10])) == 1 for start in range(0, 2000, 10))


def test_the_status_page_counts_without_being_counted(start):
    driver = start()
    driver.update("2932682")
    assert driver.running.idle(10)
    assert driver.call("GET", "/sandbox/status").json == {"requests": 1, "busy": 0}
    assert len(driver.requests) == 1


def test_a_restart_on_the_same_folder_goes_on(start):
    first = start()
    first.leads({"id": "2932682", "update": {"postcode": "TN25 6QD"}})
    first.financials([2932682], newPayout="81.00")
    first.running.close()
    second = start()
    shown = second.call("GET", f"{LEADS}/2932682").json
    assert (shown["payout"], shown["fields"]["postcode"]) == ("81.00", "TN25 6QD")
    second.update("2932683")
    assert [(effect["seq"], effect["request"]) for effect in second.effects] == [(1, 1), (2, 2), (3, 4)]


def test_a_folder_remembers_its_leads(start, tmp_path):
    (tmp_path / "leads.csv").write_text("id\n5\n")
    start(leads=tmp_path / "leads.csv").running.close()
    driver = start()
    assert driver.update("5").json["leads"][0]["success"] is True
    assert driver.update("2932682").json["leads"][0]["success"] is False
    driver.running.close()
    (tmp_path / "leads.csv").write_text("id\n6\n")
    with pytest.raises(SandboxError, match="begun with other leads"):
        start(leads=tmp_path / "leads.csv")


def test_a_folder_begun_with_the_default_leads_takes_no_others(start, tmp_path):
    first = start()
    first.update("2932682")
    first.running.close()
    (tmp_path / "leads.csv").write_text("id\n5\n")
    with pytest.raises(SandboxError, match="default leads"):
        start(leads=tmp_path / "leads.csv")


def test_half_a_line_at_the_end_is_cut_off(start):
    first = start()
    first.update("2932682", "2932683")
    first.running.close()
    log = first.running.effects_log
    log.write_bytes(log.read_bytes()[:-10])
    second = start()
    second.update("2932684")
    assert [effect["lead"] for effect in second.effects] == ["2932682", "2932684"]
    assert [effect["seq"] for effect in second.effects] == [1, 2]


@pytest.mark.parametrize(
    ("content", "words"),
    [("nonsense\n", "line 1"), ('{"seq":2,"at":"","request":1,"effect":"update","lead":"1"}\n', "effect 1 is missing")],
)
def test_a_log_that_is_not_ours_is_refused(start, tmp_path, content, words):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "effects.jsonl").write_text(content)
    with pytest.raises(SandboxError, match=words):
        start()


def test_two_sandboxes_cannot_share_a_folder_or_a_port(start, tmp_path):
    first = start()
    with pytest.raises(SandboxError, match="another sandbox"):
        start()
    with pytest.raises(SandboxError, match="cannot listen"):
        start(state=tmp_path / "other", port=first.running.port)
    with pytest.raises(SandboxError, match="cannot listen"):
        start(state=tmp_path / "third", port=70_000)


def test_a_folder_that_cannot_be_made(start, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SandboxError, match="cannot use the sandbox folder"):
        start(state=tmp_path / "file" / "state")


def test_without_a_folder_a_temporary_one_is_made(start, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    driver = start(state=None)
    driver.update("2932682")
    assert driver.running.state_dir.parent == tmp_path
    assert oct(driver.running.effects_log.stat().st_mode & 0o777) == "0o600"


def test_the_request_log_can_be_left_out(start):
    driver = start(log_requests=False)
    driver.update("2932682")
    assert not driver.running.requests_log.exists()
    assert len(driver.effects) == 1


def test_a_log_that_cannot_be_written_is_a_500_with_nothing_done():
    # A child of its own, as the limit on file sizes holds for a whole process.
    script = """
import http.client, json, resource, signal, sys, pathlib, tempfile
from syncengine.sandbox import Sandbox, SandboxOptions
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
state = pathlib.Path(tempfile.mkdtemp())
running = Sandbox(SandboxOptions(state=state)).start()
def update(text):
    c = http.client.HTTPConnection("127.0.0.1", running.port)
    c.request("PUT", "/restapi/v1.3/leads", json.dumps({"leads": [{"id": "2932682", "update": {"c1": text}}]}),
              {"X_KEY": running.api_key})
    r = c.getresponse()
    body = json.loads(r.read())
    c.close()
    return r.status, body["message"]
resource.setrlimit(resource.RLIMIT_FSIZE, (400, resource.RLIM_INFINITY))
print(update("x")[0], update("y" * 300))
print(len((state / "effects.jsonl").read_text().splitlines()))
running.close()
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.startswith("200 (500, 'The sandbox could not write its log, so nothing was done")
    assert result.stdout.endswith("\n1\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_good_order(number, tmp_path):
    script = (
        "import sys, pathlib\n"
        "from syncengine.sandbox import Sandbox, SandboxOptions\n"
        "running = Sandbox(SandboxOptions(state=pathlib.Path(sys.argv[1]))).start()\n"
        "running.serve_until_interrupted(lambda: print(running.url, flush=True))\n"
        "print('closed', flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().startswith("http://127.0.0.1:")
    os.kill(process.pid, number)
    assert process.communicate(timeout=20)[0] == "closed\n"
    assert process.returncode == 0


def test_closing_ends_open_connections_and_may_be_repeated(tmp_path):
    with Sandbox(SandboxOptions(state=tmp_path)).start() as running:
        idle = socket.create_connection(("127.0.0.1", running.port), timeout=10)
        idle.sendall(b"GET /sandbox/status HTTP/1.1\r\n\r\n")
        assert idle.recv(1000).startswith(b"HTTP/1.1 200")
    assert idle.recv(1) == b""
    idle.close()
    running.close()
