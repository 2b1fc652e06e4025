"""LeadByte's REST API: parcels in, verdicts out. The only importer of httpx.

`gateway_factory(account, key, clock)` makes a gateway for each worker thread; `resolve_key` finds the API key.
"""

from syncengine.leadbyte.gateway import gateway_factory
from syncengine.leadbyte.keys import Secret, resolve_key

__all__ = ["Secret", "gateway_factory", "resolve_key"]
