"""A stateful LeadByte-compatible service on loopback, with scripted faults and a log of every effect.

It shares no code with the client, so that a mistake in one cannot hide in the other.
"""

from syncengine.sandbox.errors import SandboxError
from syncengine.sandbox.faults import Fault, FaultAnswer, FaultRule, Match, PartialEffect, RejectedLeads, Script, Signal
from syncengine.sandbox.faults_file import parse_script, read_script
from syncengine.sandbox.keys import DEFAULT_KEYS, Key, Permission, parse_key
from syncengine.sandbox.server import RunningSandbox, Sandbox, SandboxOptions

__all__ = [
    "DEFAULT_KEYS",
    "Fault",
    "FaultAnswer",
    "FaultRule",
    "Key",
    "Match",
    "PartialEffect",
    "Permission",
    "RejectedLeads",
    "RunningSandbox",
    "Sandbox",
    "SandboxError",
    "SandboxOptions",
    "Script",
    "Signal",
    "parse_key",
    "parse_script",
    "read_script",
]
