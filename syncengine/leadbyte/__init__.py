"""LeadByte's REST API: entries in, verdicts out. The only package that imports httpx.

Used by the layers above it, which create gateways and readers; applying depends on the port `Gateway` of core.

`gateway_factory(account, key, clock)` makes a gateway for each worker thread; `LeadReader` asks for current values;
`resolve_key` finds the API key.
"""

from syncengine.core.redaction import Secret
from syncengine.leadbyte.gateway import gateway_factory
from syncengine.leadbyte.keys import resolve_key
from syncengine.leadbyte.reads import LeadReader

__all__ = ["LeadReader", "Secret", "gateway_factory", "resolve_key"]
