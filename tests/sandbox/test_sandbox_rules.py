"""The service's rules: states, deliveries, keys and permissions, money, quarantine, reads."""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import urllib.request

import pytest

from syncengine.sandbox import Key, Permission, Sandbox, SandboxError, SandboxOptions, parse_key

LEADS = "/restapi/v1.3/leads"


def _element(answer):
    (element,) = answer.json["leads"]
    return element


@pytest.mark.parametrize(
    ("element", "words"),
    [
        ({"id": "999", "update": {"c1": "x"}}, "not found"),
        ({"id": "2932686", "update": {"c1": "x"}}, "is rejected"),
        ({"id": "2932687", "update": {"c1": "x"}}, "is unsold"),
        ({"id": "123", "update": {"c1": "x"}}, "address it by quarantineId"),
        ({"id": "0123", "update": {"c1": "x"}}, "leading zero"),
        ({"id": None, "update": {"c1": "x"}}, "must be a number"),
        ({"id": "2932682"}, "Nothing to do"),
        ({"id": "2932682", "update": {}}, "at least one field"),
        ({"id": "2932682", "update": {"c1": None}}, "Field c1 must be text"),
        ({"id": "2932682", "action": "delete"}, "Unknown action"),
        ({"id": "2932682", "action": "reprocess", "triggerDeliveryId": "1053"}, "in one request"),
        ({"id": "2932682", "update": {"c1": "x"}, "triggerDeliveryId": "2001"}, "manually over the REST API"),
        ({"id": "2932682", "triggerDeliveryIds": ["1053", "77"]}, "Delivery 77 not found"),
        ({"id": "2932682", "triggerDeliveryIds": []}, "at least one delivery"),
        ({"quarantineId": "9", "update": {"c1": "x"}}, "Quarantine lead 9 not found"),
        ({"quarantineId": "123", "action": "reprocess", "update": {"c1": "x"}}, "not reprocessed"),
        ({"quarantineId": "123", "id": "5", "update": {"c1": "x"}}, "not both"),
    ],
)
def test_a_lead_that_cannot_be_done_fails_alone_under_a_success_envelope(start, element, words):
    driver = start()
    answer = driver.leads(element, {"id": "2932684", "update": {"c1": "y"}})
    first, second = answer.json["leads"]
    assert (answer.status, answer.json["status"]) == (200, "Success")
    assert first["success"] is False
    assert words in first["errors"][0]
    assert second["success"] is True
    assert driver.done == [("update", "2932684")]


def test_valid_leads_that_are_not_approved_can_be_updated(start):
    driver = start()
    assert _element(driver.update("2932685"))["success"] is True


def test_numbers_are_taken_as_ids_and_as_field_values(start):
    driver = start()
    driver.call(
        "PUT", LEADS, '{"leads":[{"id":2932682,"triggerDeliveryId":1053,"update":{"c1":1.50,"c2":7,"c3":true}}]}'
    )
    assert driver.effects[0]["fields"] == {"c1": "1.50", "c2": "7", "c3": "true"}
    assert driver.effects[1]["delivery"] == "1053"


def test_an_unknown_field_is_taken_with_a_warning(start):
    driver = start()
    element = _element(driver.leads({"id": "2932682", "update": {"postcod": "TN25"}}))
    assert element["success"] is True
    assert element["warnings"] == ["Field postcod is not a field of campaign 1"]


@pytest.mark.parametrize(
    ("body", "status"),
    [("", 400), ("[]", 400), ('{"leads":', 400), ('{"leads":[]}', 400), ('{"leads":[1]}', 400), ("[" * 90_000, 400)],
)
def test_a_body_without_leads_is_refused_whole(start, body, status):
    driver = start()
    answer = driver.call("PUT", LEADS, body)
    assert (answer.status, answer.json["status"]) == (status, "Error")
    assert driver.effects == []


def test_unknown_addresses_and_methods(start):
    driver = start()
    assert driver.call("GET", "/").status == 404
    assert driver.call("GET", "/restapi/v1.3/suppliers/1").status == 404
    assert driver.call("POST", LEADS, {}).status == 405
    assert driver.call("DELETE", LEADS).status == 405


@pytest.mark.parametrize(
    ("headers", "body", "words"),
    [
        ({}, {}, "No API key"),
        ({"X_KEY": "nobody"}, {}, "Invalid"),
        ({"X_KEY": "old"}, {}, "revoked"),
        ({}, {"key": "nobody"}, "Invalid"),
    ],
)
def test_a_refused_key_is_a_401(start, headers, body, words):
    driver = start(keys=[Key(text="good"), parse_key("old:revoked")])
    answer = driver.call("PUT", LEADS, {**body, "leads": [{"id": "2932682", "update": {"c1": "x"}}]}, headers=headers)
    assert (answer.status, answer.json["status"]) == (401, "Error")
    assert words in answer.json["message"]
    assert driver.effects == []


def test_the_key_counts_in_header_body_and_query(start):
    driver = start(keys=[Key(text="good")])
    element = {"id": "2932682", "update": {"c1": "x"}}
    assert driver.call("PUT", LEADS, {"leads": [element]}, headers={"x_key": "good"}).status == 200
    assert driver.call("PUT", LEADS, {"key": "good", "leads": [element]}, headers={}).status == 200
    assert driver.call("GET", f"{LEADS}/2932682?key=good", headers={}).status == 200


@pytest.mark.parametrize(
    ("missing", "call"),
    [
        (Permission.UPDATE, lambda d: d.update("2932682")),
        (Permission.UPDATE, lambda d: d.leads({"id": "2932682", "triggerDeliveryId": "1053"})),
        (Permission.REPROCESS, lambda d: d.leads({"id": "2932682", "action": "reprocess"})),
        (Permission.FINANCIALS, lambda d: d.financials([2932682], newPayout=1)),
        (Permission.QUARANTINE, lambda d: d.call("POST", "/restapi/v1.3/quarantine/process", {})),
        (Permission.SEARCH, lambda d: d.call("POST", f"{LEADS}/search", {})),
        (Permission.SEARCH, lambda d: d.call("GET", f"{LEADS}/2932682")),
        (Permission.SEARCH, lambda d: d.call("GET", "/restapi/v1.3/campaigns/1")),
    ],
)
def test_a_missing_permission_is_a_403_that_names_it(start, missing, call):
    driver = start(keys=[Key(text="some", permissions=frozenset(Permission) - {missing})])
    answer = call(driver)
    assert (answer.status, answer.json["status"]) == (403, "Error")
    assert missing.label in answer.json["message"]
    assert driver.effects == []


def test_keys_from_text():
    assert parse_key("k") == Key(text="k")
    assert parse_key("k:update, search").permissions == {Permission.UPDATE, Permission.SEARCH}
    with pytest.raises(ValueError, match="unknown permission 'fly'"):
        parse_key("k:fly")
    with pytest.raises(ValueError, match="before the colon"):
        parse_key(":update")


def test_two_keys_alike_or_none_do_not_start(start):
    with pytest.raises(SandboxError, match="same text"):
        start(keys=[Key(text="a"), Key(text="a")])
    with pytest.raises(SandboxError, match="at least one"):
        start(keys=[])


@pytest.mark.parametrize(
    ("lead", "words"), [("2932685", "is valid"), ("2932686", "is rejected"), ("2932687", "is unsold")]
)
def test_financials_need_an_approved_lead(start, lead, words):
    driver = start()
    answer = driver.financials([lead], newPayout="80.00")
    assert (answer.status, answer.json["status"]) == (200, "Error")
    assert words in answer.json["message"]
    assert driver.effects == []


def test_financials_of_a_list_do_what_can_be_done_and_warn(start):
    driver = start()
    answer = driver.financials([2932682, "2932686", 5], newRevenue=7)
    assert answer.json["status"] == "Warning"
    assert "Lead 5 not found" in answer.json["message"]
    assert driver.done == [("financials", "2932682")]
    assert "payout" not in driver.effects[0]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"newPayout": "ten"},
        {"newPayout": None},
        {"newPayout": True},
        {"newPayout": 1, "BID": None},
        {"newPayout": "1e3"},
    ],
)
def test_financials_without_readable_values_are_refused(start, values):
    driver = start()
    assert driver.financials([2932682], **values).status == 400
    assert driver.effects == []


@pytest.mark.parametrize("leads", [[], None, [None], {"id": 1}])
def test_financials_without_leads_are_refused(start, leads):
    assert start().financials(leads, newPayout=1).status == 400


def test_financials_take_the_key_in_the_header_and_one_lead_without_a_list(start):
    driver = start()
    answer = driver.call("PUT", "/restapi/v1.3/leadfinancials", {"leads": "2932682", "newPayout": "-1.5"})
    assert answer.json["status"] == "Success"
    assert driver.effects[0]["payout"] == "-1.5"


def test_quarantined_leads_are_updated_by_their_own_id(start):
    driver = start()
    element = _element(driver.leads({"quarantineId": 123, "update": {"c1": "x"}}))
    assert element["quarantineId"] == "123"
    assert element["message"] == "Quarantine lead updated"
    assert driver.done == [("update", "q123")]


def test_a_release_is_queued_and_applied_when_due(start):
    now = [1_000_000.0]
    driver = start(clock=lambda: now[0], quarantine_delay=5)
    released = driver.call("POST", "/restapi/v1.3/quarantine/process", {"quarantineId": 123, "action": "process"})
    rejected = driver.call("POST", "/restapi/v1.3/quarantine/process", {"quarantineIds": ["124"], "action": "reject"})
    assert released.json["details"] == {"123": "Queued for processing"}
    assert rejected.json["status"] == "Success"
    assert driver.done == [("release", "q123"), ("reject", "q124")]
    assert "quarantined" in _element(driver.update("123"))["errors"][0]
    now[0] += 5
    assert _element(driver.update("123"))["success"] is True
    assert "is rejected" in _element(driver.update("124"))["errors"][0]
    again = driver.call("POST", "/restapi/v1.3/quarantine/process", {"quarantineId": 123, "action": "process"})
    assert (again.json["status"], again.json["details"]) == ("Error", {"123": "Quarantine lead not found"})


@pytest.mark.parametrize(
    "body", [{"quarantineId": 123}, {"quarantineId": 123, "action": "burn"}, {"action": "process"}]
)
def test_quarantine_calls_that_say_too_little(start, body):
    assert start().call("POST", "/restapi/v1.3/quarantine/process", body).status == 400


def test_reading_a_lead_shows_what_was_done_to_it(start):
    driver = start()
    driver.leads({"id": "2932682", "triggerDeliveryId": "1053", "update": {"postcode": "TN25 6QD"}})
    driver.financials([2932682], newPayout=80, newRevenue="120.00", BID="41")
    shown = driver.call("GET", f"{LEADS}/2932682").json
    assert (shown["payout"], shown["revenue"], shown["buyer"]) == ("80", "120.00", "41")
    assert shown["fields"]["postcode"] == "TN25 6QD"
    assert [entry["event"] for entry in shown["history"]] == [
        "Updated: postcode",
        "Delivery 1053 triggered",
        "Financials: payout 80, revenue 120.00, buyer 41",
    ]
    assert driver.call("GET", f"{LEADS}/7").status == 404


def test_searching_by_mail_and_phone(start):
    driver = start()
    answer = driver.call(
        "POST",
        f"{LEADS}/search",
        {
            "searches": [
                {"campaignId": 1, "email": "ANN.2932682@example.com"},
                {"phone": "07700900001"},
                {"campaignId": 2},
            ]
        },
    ).json
    assert answer["totalMatches"] == 2
    assert [[hit["leadId"] for hit in search["results"]] for search in answer["searches"]] == [[2932682], [2932683], []]
    assert driver.call("POST", f"{LEADS}/search", {"searches": []}).status == 400
    assert driver.call("POST", f"{LEADS}/search", {"searches": [{}] * 101}).status == 400


def test_a_campaign_lists_its_fields(start):
    campaign = start().call("GET", "/restapi/v1.3/campaigns/1").json
    assert {"name": "postcode", "label": "Postcode", "dataType": "postcode", "required": False, "selection": []} in (
        campaign["fields"]
    )
    assert "postcod" not in {field["name"] for field in campaign["fields"]}


def test_every_lead_exists_where_that_is_asked_for(start):
    driver = start(any_lead=True)
    assert _element(driver.update("77"))["success"] is True
    assert _element(driver.leads({"quarantineId": "78", "update": {"c1": "x"}}))["success"] is True
    assert driver.financials([77, 79], newPayout=1).json["status"] == "Success"
    assert driver.call("GET", f"{LEADS}/77").json["payout"] == "1"


def test_leads_from_a_file(start, tmp_path):
    path = tmp_path / "leads.csv"
    path.write_text(
        "\ufeffid,state,payout,revenue,buyer,campaign,postcode,note\n"
        "1,approved,40.00,60.00,33,7,TN25,\n"
        "2,unsold,,,,,,x\n"
        "q3,,,,,,,\n"
        "4,quarantined,,,,,,\n",
        encoding="utf-8",
    )
    driver = start(leads=path)
    shown = driver.call("GET", f"{LEADS}/1").json
    assert (shown["payout"], shown["campaign"]["id"], shown["fields"]) == ("40.00", "7", {"postcode": "TN25"})
    assert "is unsold" in _element(driver.update("2"))["errors"][0]
    assert _element(driver.leads({"quarantineId": "3", "update": {"c1": "x"}}))["success"] is True
    assert _element(driver.leads({"quarantineId": "4", "update": {"c1": "x"}}))["success"] is True


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        ("number\n1\n", 'column "id"'),
        ("id,id\n1,2\n", "twice"),
        ("id,state\n1\n", "(line 2) has 1 cell"),
        ("id\n1,2\n", "(line 2) has 2 cells"),
        ("id\n01\n", "leading zero"),
        ("id\n1\nq1\n", "line 3: there is a lead 1"),
        ("id,state\nq1,valid\n", "the state is valid"),
        ("id,state\n1,sold\n", "unknown state 'sold'"),
        ("id,payout\n1,ten\n", "such as 80.00"),
        ('id\n"1\n', "no well-formed CSV"),
    ],
)
def test_a_leads_file_that_is_wrong_says_where(start, tmp_path, text, words):
    path = tmp_path / "leads.csv"
    path.write_text(text)
    with pytest.raises(SandboxError) as error:
        start(leads=path)
    assert words in str(error.value)
    assert str(path) in str(error.value)


def test_leads_files_that_cannot_be_read(start, tmp_path):
    with pytest.raises(SandboxError, match="no such file"):
        start(leads=tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes(b"id,name\n1,Ren\xe9\n")
    with pytest.raises(SandboxError, match="utf-8"):
        start(leads=tmp_path / "latin.csv")


def test_header_names_with_underscores_can_get_lost(start):
    driver = start(drop_underscore_headers=True)
    assert driver.update("2932682").status == 401
    assert ["X_KEY", driver.running.api_key] in driver.requests[0]["headers"]


def test_it_speaks_tls(start, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [
            *["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"],
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    driver = start(certificate=certificate, certificate_key=key)
    assert driver.running.url.startswith("https://")
    body = json.dumps({"leads": [{"id": "2932682", "update": {"c1": "x"}}]})
    trusting = ssl.create_default_context(cafile=str(certificate))
    connection = http.client.HTTPSConnection("127.0.0.1", driver.running.port, context=trusting, timeout=10)
    connection.request("PUT", LEADS, body, {"X_KEY": driver.running.api_key})
    assert connection.getresponse().status == 200
    connection.close()
    wary = http.client.HTTPSConnection("127.0.0.1", driver.running.port, timeout=10)
    with pytest.raises(ssl.SSLCertVerificationError):
        wary.request("PUT", LEADS, body)
    wary.close()
    assert driver.done == [("update", "2932682")]


def test_a_certificate_that_is_none(start, tmp_path):
    (tmp_path / "cert.pem").write_text("no certificate")
    with pytest.raises(SandboxError, match="cannot use the certificate"):
        start(certificate=tmp_path / "cert.pem")


@pytest.mark.parametrize("column", ["id", "lead", "lead_id"])
def test_the_id_of_a_lead_may_stand_under_the_names_that_exports_use(column, tmp_path):
    leads = tmp_path / "leads.csv"
    leads.write_text(f"postcode,{column},state\nTN25,77,Approved\n", encoding="utf-8")
    with Sandbox(SandboxOptions(state=tmp_path / "state", leads=leads)).start() as running:
        url = f"{running.url}/restapi/v1.3/leads/77?key={running.api_key}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            read = json.load(answer)
    assert (read["state"], read["fields"]) == ("approved", {"postcode": "TN25"})
