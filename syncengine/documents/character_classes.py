"""Sets of characters in patterns: as code points, and as the properties of Unicode that ECMA 262 knows.

The engine alone would take other spellings of a property too, and its `\\d` and `\\s` are not those of ECMA 262.
"""

from __future__ import annotations

import re

from syncengine.documents.did_you_mean import did_you_mean

Ranges = list[tuple[int, int]]
LAST_CODE_POINT = 0x10FFFF
_DIGIT: Ranges = [(0x30, 0x39)]
_WORD: Ranges = [(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)]
_SPACE: Ranges = [
    (0x09, 0x0D),
    (0x20, 0x20),
    (0xA0, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
    (0xFEFF, 0xFEFF),
]
LINE_ENDS: Ranges = [(0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029)]
CLASSES = {"d": _DIGIT, "w": _WORD, "s": _SPACE}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CATEGORIES = _words(
    """
    Cased_Letter LC Close_Punctuation Pe Connector_Punctuation Pc Control Cc cntrl Currency_Symbol Sc
    Dash_Punctuation Pd Decimal_Number Nd digit Enclosing_Mark Me Final_Punctuation Pf Format Cf
    Initial_Punctuation Pi Letter L Letter_Number Nl Line_Separator Zl Lowercase_Letter Ll Mark M Combining_Mark
    Math_Symbol Sm Modifier_Letter Lm Modifier_Symbol Sk Nonspacing_Mark Mn Number N Open_Punctuation Ps Other C
    Other_Letter Lo Other_Number No Other_Punctuation Po Other_Symbol So Paragraph_Separator Zp Private_Use Co
    Punctuation P punct Separator Z Space_Separator Zs Spacing_Mark Mc Symbol S Titlecase_Letter Lt Unassigned
    Cn Uppercase_Letter Lu
    """
)
_BINARY = _words(
    """
    ASCII ASCII_Hex_Digit AHex Alphabetic Alpha Any Assigned Bidi_Control Bidi_C Bidi_Mirrored Bidi_M
    Case_Ignorable CI Cased Changes_When_Casefolded CWCF Changes_When_Casemapped CWCM Changes_When_Lowercased
    CWL Changes_When_NFKC_Casefolded CWKCF Changes_When_Titlecased CWT Changes_When_Uppercased CWU Dash
    Default_Ignorable_Code_Point DI Deprecated Dep Diacritic Dia Emoji Emoji_Component EComp Emoji_Modifier EMod
    Emoji_Modifier_Base EBase Emoji_Presentation EPres Extended_Pictographic ExtPict Extender Ext Grapheme_Base
    Gr_Base Grapheme_Extend Gr_Ext Hex_Digit Hex IDS_Binary_Operator IDSB IDS_Trinary_Operator IDST ID_Continue
    IDC ID_Start IDS Ideographic Ideo Join_Control Join_C Logical_Order_Exception LOE Lowercase Lower Math
    Noncharacter_Code_Point NChar Pattern_Syntax Pat_Syn Pattern_White_Space Pat_WS Quotation_Mark QMark Radical
    Regional_Indicator RI Sentence_Terminal STerm Soft_Dotted SD Terminal_Punctuation Term Unified_Ideograph
    UIdeo Uppercase Upper Variation_Selector VS White_Space space XID_Continue XIDC XID_Start XIDS
    """
)
_SCRIPT = re.compile(r"[A-Z][a-z]+(_[A-Z][a-z]+|_Ko)*\Z")


def property_text(name: str) -> tuple[str, str]:
    """The engine's name for the property `name` of ECMA 262 ("" where it is not one), and a hint for that case."""
    key, equals, value = name.partition("=")
    if not equals:
        return _lone_property(name)
    if key in ("General_Category", "gc"):
        return (f"General_Category={value}", "") if value in _CATEGORIES else ("", did_you_mean(value, _CATEGORIES))
    if key in ("Script", "sc", "Script_Extensions", "scx"):
        long = "Script" if key in ("Script", "sc") else "Script_Extensions"
        return (f"{long}={value}", "") if _SCRIPT.match(value) else ("", "write it as in Script=Greek")
    return "", "write General_Category=…, Script=… or Script_Extensions=…"


def _lone_property(name: str) -> tuple[str, str]:
    # The engine reads some short names, such as `space` and `sc`, as a script or a category. Long names are
    # unambiguous.
    if name in _CATEGORIES:
        return f"General_Category={name}", ""
    if name in _BINARY:
        return name, ""
    meant = did_you_mean(name, _CATEGORIES | _BINARY)
    return "", f"for a script write Script={name}; otherwise {meant}" if _SCRIPT.match(name) else meant


def ranges_text(ranges: Ranges) -> str:
    return "".join(
        code_point_text(low) if low == high else f"{code_point_text(low)}-{code_point_text(high)}"
        for low, high in ranges
    )


def code_point_text(point: int) -> str:
    char = chr(point)
    return char if char.isascii() and char.isalnum() else f"\\u{{{point:X}}}"


def other_characters(ranges: Ranges) -> Ranges:
    """The code points outside these ranges, which must be sorted."""
    found, start = [], 0
    for low, high in ranges:
        if low > start:
            found.append((start, low - 1))
        start = high + 1
    return [*found, (start, LAST_CODE_POINT)]


def one_character(point: int) -> Ranges:
    return [(point, point)]


def is_several(ranges: Ranges) -> bool:
    return len(ranges) != 1 or ranges[0][0] != ranges[0][1]
