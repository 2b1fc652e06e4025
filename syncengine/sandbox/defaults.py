"""Default data of a sandbox without a leads file: the vendor's documented examples and a few leads of each kind."""

from __future__ import annotations

from collections.abc import Iterable

from syncengine.sandbox.entities import Campaign, CampaignField, Delivery, Lead, LeadState

DEFAULT_CAMPAIGN = "1"

_FIELDS = (
    CampaignField(name="email", label="E-mail", data_type="email", required=True),
    CampaignField(name="title", label="Title", data_type="select", selection=("Mr", "Mrs", "Ms", "Dr")),
    CampaignField(name="firstname", label="First name", required=True),
    CampaignField(name="lastname", label="Last name", required=True),
    CampaignField(name="phone1", label="Phone", data_type="phone"),
    CampaignField(name="dob", label="Date of birth", data_type="date"),
    CampaignField(name="gender", label="Gender", data_type="select", selection=("male", "female", "other")),
    CampaignField(name="street1", label="Street"),
    CampaignField(name="towncity", label="Town or city"),
    CampaignField(name="county", label="County"),
    CampaignField(name="postcode", label="Postcode", data_type="postcode"),
    CampaignField(name="source", label="Source"),
    CampaignField(name="c1", label="C1"),
    CampaignField(name="c2", label="C2"),
    CampaignField(name="c3", label="C3"),
)

DEFAULT_DELIVERIES = (
    Delivery(number="1053", name="Northwind (manual)", manual=True),
    Delivery(number="1054", name="Contoso (manual)", manual=True),
    Delivery(number="2001", name="Fabrikam (automatic)", manual=False),
)

_PEOPLE = (
    ("Ann", "Archer", "TN25"),
    ("Ben", "Baker", "M1 1AE"),
    ("Cleo", "Carter", "LS1 4AP"),
    ("Dan", "Draper", "EH1 1YZ"),
    ("Eve", "Eaton", "CF10 1EP"),
)

_STATES = {
    "2932682": LeadState.APPROVED,
    "2932683": LeadState.APPROVED,
    "2932684": LeadState.APPROVED,
    "2932685": LeadState.VALID,
    "2932686": LeadState.REJECTED,
    "2932687": LeadState.UNSOLD,
    "q123": LeadState.QUARANTINED,
    "q124": LeadState.QUARANTINED,
    **{str(number): LeadState.APPROVED for number in range(2932690, 2932720)},
}


def default_leads() -> list[Lead]:
    """The article's three leads, one or two in every other state, and thirty approved ones for batches."""
    return [_lead(position, reference, state) for position, (reference, state) in enumerate(_STATES.items())]


def _lead(position: int, reference: str, state: LeadState) -> Lead:
    first, last, postcode = _PEOPLE[position % len(_PEOPLE)]
    sold = state is LeadState.APPROVED
    return Lead(
        reference,
        state,
        payout="40.00" if sold else None,
        revenue="60.00" if sold else None,
        buyer="33" if sold else None,
        campaign=DEFAULT_CAMPAIGN,
        fields={
            "email": f"{first.lower()}.{reference}@example.com",
            "firstname": first,
            "lastname": last,
            "phone1": f"0770090{position:04d}",
            "postcode": postcode,
            "source": "short-form",
            "c1": "organic",
        },
    )


def default_campaigns(leads: Iterable[Lead]) -> list[Campaign]:
    """One campaign per campaign id of the leads. It knows the usual fields and every field that its leads have."""
    extra: dict[str, dict[str, None]] = {DEFAULT_CAMPAIGN: {}}
    for lead in leads:
        if lead.campaign is not None:
            extra.setdefault(lead.campaign, {}).update(dict.fromkeys(lead.fields))
    usual = {item.name for item in _FIELDS}
    return [
        Campaign(
            number=number,
            name=f"Sandbox campaign {number}",
            fields=_FIELDS + tuple(CampaignField(name=name, label=name) for name in names if name not in usual),
        )
        for number, names in extra.items()
    ]
