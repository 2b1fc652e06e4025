"""The files of the demonstration: the documented requests as one changeset, and the configuration it needs."""

from __future__ import annotations

_CONFIGURATION = """\
version: 1
accounts:
  acme:
    base_url: SANDBOX_URL
    api_key: env:LEADBYTE_API_KEY
    deliveries: {northwind: "1053", contoso: "1054"}   # names for `trigger`
    buyers: {northwind: "33"}                          # names for the buyer
    fields: {public: [c1, source]}                     # shown unmasked
"""

_CHANGESET = """\
# The requests of LeadByte's article "Update Leads via REST API", as one changeset.
version: 1
changeset: documented-requests
account: acme
title: The documented requests
sources:
  uplifts: {file: ../data/uplifts.csv}
changes:
  # Correct a field and send the lead to a buyer, in one request. The trigger can never be taken back.
  - id: correct-and-sell
    lead: "2932682"
    update: {postcode: TN25 6QD}
    trigger: [northwind]

  # Correct fields and run the leads through distribution again.
  - id: names
    lead: "2932683"
    update: {firstname: Joe, lastname: Blogs}
    action: reprocess
  - id: source
    lead: "2932684"
    update: {postcode: 7010, source: www.LeadByte.com, c1: GoogleAdWords}   # 7010 stays the text 7010
    action: reprocess

  # Restate payout and revenue, one row of a CSV file for each lead.
  - id: call-centre
    for_each: uplifts
    when: row.switched == 'yes'
    lead: "{{ row.lead_id }}"
    financials: {payout: "{{ row.payout | money }}", revenue: 120.00, buyer: northwind}
"""

_ROWS = """\
lead_id,switched,payout
2932682,yes,80
2932683,no,80
2932684,yes,82.50
"""

FILES = {
    "syncengine.yaml": _CONFIGURATION,
    "changesets/documented-requests.yaml": _CHANGESET,
    "data/uplifts.csv": _ROWS,
}
