"""The requests of the vendor's help article, to the letter, and the answers it documents."""

from __future__ import annotations

import json

POSTCODE = '{\n"leads": [\n{\n"id": "2932682",\n"update": {\n"postcode": "TN25 6QD"\n}\n}\n]\n}'
TRIGGER = '{"leads": [{"id": "2932682", "triggerDeliveryId": "1053", "update": {"postcode": "TN25 6QD"}}]}'
REPROCESS = """{"leads": [
  {"id": "2932682", "action" : "reprocess", "update": {"postcode": "TN25 6QD"}},
  {"id": "2932683", "action" : "reprocess", "update": {"firstname": "Joe", "lastname": "Blogs"}},
  {"id": "2932684", "action" : "reprocess",
   "update": {"postcode": "7010", "source": "www.LeadByte.com", "c1": "GoogleAdWords"}}]}"""
ARTICLE_KEY = {"X_KEY": "cb266b24ef4a5d123s42ca5801431120"}


def _updated(number):
    return {"id": number, "success": True, "message": "Lead updated", "warnings": [], "errors": []}


def test_update_answers_as_documented_and_is_done(start):
    driver = start()
    answer = driver.call("PUT", "/restapi/v1.3/leads", POSTCODE, headers=ARTICLE_KEY)
    assert answer.status == 200
    assert answer.json == {"status": "Success", "message": "OK", "leads": [_updated("2932682")]}
    (effect,) = driver.effects
    assert effect | {"at": ""} == {
        "seq": 1,
        "at": "",
        "request": 1,
        "effect": "update",
        "lead": "2932682",
        "fields": {"postcode": "TN25 6QD"},
    }


def test_update_with_trigger_does_both_in_order(start):
    driver = start()
    assert driver.call("PUT", "/restapi/v1.3/leads", TRIGGER).json["leads"] == [_updated("2932682")]
    assert driver.done == [("update", "2932682"), ("trigger", "2932682")]
    assert driver.effects[1]["delivery"] == "1053"


def test_several_deliveries_are_triggered_each(start):
    driver = start()
    driver.leads({"id": "2932682", "triggerDeliveryIds": ["1053", "1054"]})
    assert [effect["delivery"] for effect in driver.effects] == ["1053", "1054"]


def test_three_leads_are_updated_and_reprocessed(start):
    driver = start()
    answer = driver.call("PUT", "/restapi/v1.3/leads", REPROCESS)
    assert answer.json["leads"] == [_updated("2932682"), _updated("2932683"), _updated("2932684")]
    assert [kind for kind, _ in driver.done] == ["update", "reprocess"] * 3
    assert driver.effects[4]["fields"] == json.loads(REPROCESS)["leads"][2]["update"]


def test_financials_keep_every_character_of_the_amounts(start):
    driver = start()
    body = (
        '{"key": "822acf66313a480c9fde66d8fce8fb7f", "leads": [2932682], "newPayout": 80.00, "newRevenue": 120.00,'
        ' "BID": "33"}'
    )
    answer = driver.call("PUT", "/restapi/v1.3/leadfinancials", body, headers={})
    assert answer.json == {"status": "Success", "message": "OK"}
    (effect,) = driver.effects
    assert (effect["payout"], effect["revenue"], effect["buyer"]) == ("80.00", "120.00", "33")


def test_the_request_log_holds_bodies_and_headers_verbatim(start):
    driver = start()
    driver.call("PUT", "/restapi/v1.3/leads?trace=1", POSTCODE, headers=ARTICLE_KEY)
    (logged,) = driver.requests
    assert logged["body"] == POSTCODE
    assert ["X_KEY", ARTICLE_KEY["X_KEY"]] in logged["headers"]
    assert (logged["method"], logged["path"]) == ("PUT", "/restapi/v1.3/leads?trace=1")
    assert (logged["status"], logged["connection"], logged["request"]) == (200, 1, 1)


def test_a_body_that_is_no_text_is_logged_in_base64(start):
    driver = start()
    assert driver.call("PUT", "/restapi/v1.3/leads", b"\xff\xfe").status == 400
    assert driver.requests[0]["body_base64"] == "//4="
