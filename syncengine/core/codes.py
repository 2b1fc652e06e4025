"""Every diagnostic code with the sentence that explains it. Codes are stable: a retired one is never used again."""

from __future__ import annotations

from types import MappingProxyType

CODES = MappingProxyType(
    {
        # SE2xx: the document does not say what a changeset says
        "SE201": "A key that is not known at this place.",
        "SE202": "A required key is missing.",
        "SE203": "A value of the wrong type: a text, a list or a mapping was expected.",
        "SE204": "A value that is not among those allowed at this place.",
        "SE205": "A list or mapping that must not be empty is empty, or has too many entries.",
        "SE206": "A value is missing: plain null, ~ or nothing was written where a text is needed.",
        "SE231": "A lead or delivery id is not digits without a leading zero (at most 19).",
        "SE232": "An amount is not a plain number with at most two decimals.",
        "SE233": "A negative amount, which the policy does not allow.",
        "SE234": "A changeset id is not made of a-z, 0-9, dot, underscore and hyphen (3 to 64 characters).",
        "SE235": "A text that cannot be sent: too long, or with NUL, a control character or half a surrogate pair.",
        "SE236": "A field is set to an empty text, which the account does not allow.",
        "SE237": "A name of a field, variable, source or change that cannot be used as one.",
        "SE240": "An action and a trigger in one change: the service does not document that combination.",
        "SE241": "A change must say which leads it is about, in exactly one way.",
        "SE242": "A change that does nothing.",
        "SE243": "rerun is not a whole number from 2, or stands where nothing irreversible is done.",
        "SE244": "Financials without payout and without revenue.",
        # SE3xx: templates and data
        "SE301": "A template cannot be parsed.",
        "SE302": "A template or expression uses something that templates may not do.",
        "SE303": "A template or expression names something that does not exist.",
        "SE304": "A template or expression failed on the data it was given.",
        "SE310": "A source file is missing or cannot be read.",
        "SE311": "A source file lies outside the repository.",
        "SE312": "A source file is empty, or has no usable header.",
        "SE313": "A row does not have as many cells as the header.",
        "SE314": "A source file is not well-formed.",
        "SE315": "A source file is not text in the encoding it is read with.",
        "SE316": "A column that the source does not have.",
        "SE317": "A value of a source is a list or a mapping where a text is needed.",
        "SE318": "A source that is not declared under sources.",
        "SE319": "A source changed while it was being read.",
        "SE320": "A source's options or its kind are not known.",
        "SE321": "A change produced no row.",
        "SE322": "A variable was given that no changeset declares.",
        "SE330": "A rendered update does not satisfy the account's lead schema.",
        # SE4xx: declarations that contradict each other
        "SE401": "Two changesets have one id.",
        "SE402": "One field, amount or buyer of a lead is declared twice with different values.",
        "SE403": "The same irreversible operation is declared twice for a lead.",
        "SE404": "The same value is declared twice for a lead; the later declaration counts for nothing.",
        "SE405": "Two changes of a changeset have one id.",
        "SE406": "A changeset was asked for that no file holds.",
        "SE407": "A rerun that is lower than a generation on record.",
        "SE408": "The changesets of one plan belong to several accounts.",
        "SE490": "Further findings of a kind, counted but not listed.",
        # SE5xx: configuration
        "SE510": "An account that syncengine.yaml does not have.",
        "SE511": "A delivery name that the account does not have.",
        "SE512": "A buyer name that the account does not have.",
    }
)
