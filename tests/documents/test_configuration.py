"""syncengine.yaml: everything it may say, everything it may not, and no secret in any message."""

import os
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.core.errors import ConfigError, Exit
from syncengine.core.operations import Kind
from syncengine.core.settings import Account, ApprovalRule, EnvKey, FileKey, Settings, StopRule
from syncengine.documents.configuration import find_configuration, ledger_url, load_configuration
from syncengine.documents.diagnostics import as_json, render_text

FULL = """\
version: 1
accounts:
  acme:
    base_url: https://ACME.leadbyte.co.uk:443/
    hosts: [acme.leadbyte.com, "Other.Example:8443"]
    was: old-acme
    api_key: env:LEADBYTE_API_KEY
    limits: {requests_per_second: 0.5, concurrency: 8, timeout: 2}
    wire: {leads_key: both, refusals: whole}
    reads: {leads: true}
    deliveries: {buyer-a: "1053", buyer-b: 1054}
    buyers: {northwind: "33", slug: acme-buyer}
    fields: {public: [c1, source], allow_empty: true}
    lead_schema: schemas/lead.schema.json
  local: {base_url: "http://127.0.0.1:8080", api_key: "file:.syncengine/api.key"}
ledger: {url: "sqlite:///.syncengine/ledger.db", id: abcd1234@1834, values: plain, key: "file:.syncengine/k"}
databases: {warehouse: "env:SYNCENGINE_WAREHOUSE", shop: "sqlite:///data/shop.db"}
policy:
  max_leads: 500
  max_payout: 150.00
  max_total_payout: "20000.5"
  max_change_percent: 12.50
  require_before: [financials]
  allowed_fields: [postcode]
  denied_fields: [email]
  allowed_deliveries: [buyer-a, 1054]
  repeat_trigger: allow
  windows: [{days: [mon, fri], from: "09:00", to: "17:00", time_zone: Europe/London}]
  budgets: [{per: day, max_irreversible: 500, max_payout: 10000.00, time_zone: Europe/London}]
  waves: [1, 10]
  stop_when: {rejected_percent: 20, after: 50}
  deny: [{when: "op.kind == 'financials' and (op.payout or 0) > 200", message: Ask finance first}]
  approvals: {required: 1, when: plan.irreversible > 0, allowed_signers: .syncengine/allowed_signers}
"""
MINIMAL = "version: 1\naccounts: {acme: {base_url: 'https://acme.example', api_key: 'env:LEADBYTE_API_KEY'}}\n"
SECRET = "s3cr3t-k3y-of-acme"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    for name, content in (
        ("schemas/lead.schema.json", "{}"),
        (".syncengine/allowed_signers", "anna@example.com ssh-ed25519 AAAA\n"),
        ("data/shop.db", ""),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def load(root: Path, text: str, env: dict[str, str] | None = None, policy: Path | None = None) -> Settings:
    path = root / "syncengine.yaml"
    path.write_text(text)
    return load_configuration(path, env or {}, policy)


def refused(root: Path, text: str, env: dict[str, str] | None = None, policy: Path | None = None) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(root, text, env, policy)
    error = caught.value
    assert error.exit is Exit.INPUT
    assert error.problems
    assert all(each.file and each.line and each.column for each in error.problems)
    everything = str(error) + error.hint + render_text(error.problems, colour=True) + str(as_json(error.problems))
    assert SECRET not in everything
    return error


def codes(error: ConfigError) -> list[str]:
    return [problem.code for problem in error.problems]


def account(root: Path, more: str, env: dict[str, str] | None = None) -> Account:
    return load(root, MINIMAL.replace("}}\n", f", {more}}}}}\n"), env).accounts["acme"]


def test_everything_is_read(root: Path) -> None:
    found = load(root, FULL)
    acme, local = found.accounts["acme"], found.accounts["local"]
    assert (acme.identity, acme.host, acme.base_url) == (
        "old-acme",
        "acme.leadbyte.co.uk",
        "https://acme.leadbyte.co.uk:443",
    )
    assert acme.hosts == ("acme.leadbyte.com", "other.example:8443")
    assert acme.api_key == EnvKey("LEADBYTE_API_KEY")
    assert (acme.limits.requests_per_second, acme.limits.concurrency, acme.limits.attempts) == (0.5, 8, 5)
    assert (acme.wire.leads_key, acme.wire.refusals, acme.wire.financials_key) == ("both", "whole", "body")
    assert acme.deliveries == {"buyer-a": "1053", "buyer-b": "1054"}
    assert acme.buyers == {"northwind": "33", "slug": "acme-buyer"}
    assert acme.fields.public == ("c1", "source")
    assert (acme.fields.allow_empty, acme.reads.leads, acme.line) == (True, True, 3)
    assert acme.lead_schema == str(root / "schemas" / "lead.schema.json")
    assert (local.host, local.is_loopback, local.identity) == ("loopback", True, "local")
    assert local.api_key == FileKey(str(root / ".syncengine" / "api.key"))
    assert found.ledger.url == f"sqlite:///{root}/.syncengine/ledger.db"
    assert (found.ledger.id, found.ledger.position, found.ledger.values) == ("abcd1234", 1834, "plain")
    assert found.ledger.key_path == str(root / ".syncengine" / "k")
    assert found.databases["warehouse"].dsn_env == "SYNCENGINE_WAREHOUSE"
    assert found.databases["shop"].path == str(root / "data" / "shop.db")
    assert (found.root, found.ledger_line, found.warnings) == (str(root), 16, ())


def test_every_rule_of_the_policy_is_typed(root: Path) -> None:
    policy = load(root, FULL).policy
    assert (policy.max_leads, policy.max_payout, policy.max_total_payout) == (500, 15000, 2000050)
    assert policy.max_change_percent == Decimal("12.50")
    assert policy.require_before == (Kind.FINANCIALS,)
    assert policy.allowed_fields == ("postcode",)
    assert policy.denied_fields == ("email",)
    assert policy.allowed_deliveries == ("buyer-a", "1054")
    assert (policy.repeat_trigger, policy.repeat_reprocess, policy.allow_negative) == ("allow", "block", False)
    assert [(w.days, w.start, w.end, w.time_zone, w.line) for w in policy.windows] == [
        (("mon", "fri"), "09:00", "17:00", "Europe/London", 28)
    ]
    assert [(b.per, b.max_irreversible, b.max_payout, b.line) for b in policy.budgets] == [("day", 500, 1000000, 29)]
    assert policy.waves == (1, 10)
    assert policy.stop_when == StopRule(rejected_percent=20, after=50, unanswered=5)
    assert policy.deny[0].message == "Ask finance first"
    assert isinstance(policy.approvals, ApprovalRule)
    assert policy.approvals.allowed_signers == str(root / ".syncengine" / "allowed_signers")
    assert len(policy.approvals.signers) == 64
    assert policy.lines["max_payout"] == 20


def test_the_policy_digest_covers_rules_and_signers_and_nothing_else(root: Path) -> None:
    digest = load(root, FULL).policy.digest
    assert load(root, "# a comment\n" + FULL.replace("12.50", "12.5")).policy.digest == digest
    for old, new in (("150.00", "150.01"), ("mon, fri", "mon"), ("[1, 10]", "[1, 11]"), ("> 200", "> 201")):
        assert load(root, FULL.replace(old, new)).policy.digest != digest
    (root / ".syncengine" / "allowed_signers").write_text("eve@example.com ssh-ed25519 BBBB\n")
    assert load(root, FULL).policy.digest != digest
    assert load(root, MINIMAL).policy.digest == load(root, MINIMAL + "policy: {}\n").policy.digest


def test_defaults_are_the_documented_ones(root: Path) -> None:
    found = load(root, MINIMAL)
    assert found.accounts["acme"].limits.leads_per_request == 50
    assert found.ledger.url == f"sqlite:///{root}/.syncengine/ledger.db"
    assert (found.ledger.id, found.ledger.position, found.ledger.values) == (None, None, "digest")
    assert found.ledger.key_path == str(root / ".syncengine" / "ledger.key")
    assert found.policy.max_leads is None
    assert found.policy.digest
    assert load(root, MINIMAL + "ledger: {id: null}\n").ledger.id is None


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://acme.example", "acme.example"),
        ("https://acme.example:8443", "acme.example:8443"),
        ("http://localhost:1234", "loopback"),
        ("http://127.9.9.9", "loopback"),
        ("http://[::1]:99", "loopback"),
        ("https://localhost", "loopback"),
        ("https://192.0.2.7", "192.0.2.7"),
        ("https://[2001:db8::1]:444", "[2001:db8::1]:444"),
    ],
)
def test_addresses(root: Path, url: str, host: str) -> None:
    found = load(root, MINIMAL.replace("https://acme.example", url)).accounts["acme"]
    assert (found.host, found.base_url) == (host, url)


@pytest.mark.parametrize(
    "url",
    [
        "http://acme.example", "ftp://acme.example", "acme.example", "//acme.example", "https://", "https:///x",
        "https://user:pw@acme.example", "https://acme.example/restapi", "https://acme.example?x=1",
        "https://acme.example#x", "https://acme.example:99999", "https://acme.example:x", "https://127.1",
        "http://2130706433", "http://0x7f000001", "https://acme..example", "https://acme.example.", "https://аcme.example",
        "https://acme example", " https://acme.example", "http://localhost.evil.example", "http://127.0.0.1.nip.io",
        "http://127.0.0.1@evil.example", "https://[::1", "http://0.0.0.0", "https://evil.example\\\\@acme.example",
    ],
)  # fmt: skip
def test_addresses_that_are_refused(root: Path, url: str) -> None:
    error = refused(root, MINIMAL.replace("'https://acme.example'", f'"{url}"'))
    assert codes(error) == ["SE550"]


def test_a_literal_key_is_refused_and_not_repeated(root: Path) -> None:
    for line in (f"api_key: {SECRET}", f"api_key: {{k: {SECRET}}}", f"apikey: {SECRET}", f"api_key: [{SECRET}]"):
        error = refused(root, MINIMAL.replace("api_key: 'env:LEADBYTE_API_KEY'", line))
        assert error.problems[0].line == 2
    error = refused(root, f"version: 1\naccounts:\n  a:\n    base_url: https://a.example\n    api_key: {SECRET}\n")
    assert [(each.code, each.line, each.column) for each in error.problems] == [("SE551", 5, 14)]
    assert "LEADBYTE_API_KEY" in error.hint
    refused(root, f"version: 1\naccounts:\n  a:\n    api_key: {SECRET}: b\n")


def test_a_missing_key_is_refused(root: Path) -> None:
    assert codes(refused(root, MINIMAL.replace(", api_key: 'env:LEADBYTE_API_KEY'", ""))) == ["SE502"]


def test_only_listed_variables_may_be_used(root: Path) -> None:
    text = MINIMAL.replace("LEADBYTE_API_KEY", "AWS_SECRET_ACCESS_KEY")
    error = refused(root, text, {"AWS_SECRET_ACCESS_KEY": SECRET})
    assert codes(error) == ["SE552"]
    found = load(root, text, {"SYNCENGINE_ALLOW_ENV": "X,AWS_SECRET_ACCESS_KEY"})
    assert found.accounts["acme"].api_key == EnvKey("AWS_SECRET_ACCESS_KEY")
    assert codes(refused(root, MINIMAL.replace("LEADBYTE_API_KEY", "LEADBYTE KEY"))) == ["SE551"]


@pytest.mark.parametrize("path", ["../api.key", "/etc/passwd", "link", "~/key/../../x"])
def test_key_files_lie_in_the_repository(root: Path, path: str) -> None:
    (root / "link").symlink_to("/etc/passwd")
    text = MINIMAL.replace("env:LEADBYTE_API_KEY", f"file:{path}")
    if path.startswith("~"):
        assert load(root, text).accounts["acme"].api_key == FileKey(str((root / path).resolve()))
        return
    assert codes(refused(root, text)) == ["SE553"]
    found = load(root, text, {"SYNCENGINE_ALLOW_FILES": f"/etc:{root.parent}"})
    assert isinstance(found.accounts["acme"].api_key, FileKey)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("deliveries: {a: '01053'}", "SE554"),
        ("deliveries: {a: '１０５３'}", "SE554"),
        ("deliveries: {'1053': '1054'}", "SE554"),
        ("buyers: {a: ' '}", "SE554"),
        ("lead_schema: ../x.json", "SE553"),
        ("lead_schema: schemas", "SE553"),
        ("lead_schema: none.json", "SE553"),
        ("hosts: ['https://a.example']", "SE550"),
        ("hosts: ['a b']", "SE550"),
        ("limits: {attempts: 0}", "SE504"),
        ("limits: {timeout: '30'}", "SE503"),
        ("limits: {timeout: 1e999}", "SE503"),
        ("limit: {}", "SE501"),
        ("was: acme", "SE556"),
        ("reads: {leads: yes}", "SE503"),
    ],
)
def test_accounts_that_are_refused(root: Path, more: str, code: str) -> None:
    assert codes(refused(root, MINIMAL.replace("}}\n", f", {more}}}}}\n"))) == [code]


def test_former_names_are_never_chained_nor_shared(root: Path) -> None:
    one = "{base_url: 'https://a.example', api_key: 'env:LEADBYTE_K'%s}"
    chained = f"version: 1\naccounts:\n  a: {one % ''}\n  b: {one % ', was: a'}\n"
    assert codes(refused(root, chained)) == ["SE556"]
    shared = f"version: 1\naccounts:\n  a: {one % ', was: z'}\n  b: {one % ', was: z'}\n"
    assert codes(refused(root, shared)) == ["SE556"]


@pytest.mark.parametrize(
    ("section", "code"),
    [
        ("ledger: {url: 'mysql://x'}", "SE555"),
        ("ledger: {url: 'sqlite://'}", "SE555"),
        ("ledger: {url: 'env:PATH'}", "SE552"),
        ("ledger: {id: 'a b'}", "SE504"),
        ("ledger: {id: 'abcd@x'}", "SE504"),
        ("ledger: {key: abcd}", "SE504"),
        ("ledger: {key: 'file:/etc/shadow'}", "SE553"),
        ("ledger: {values: hash}", "SE504"),
        ("databases: {d: 'sqlite:////etc/passwd'}", "SE555"),
        ("databases: {d: 'sqlite:///../x.db'}", "SE555"),
        ("databases: {d: 'mysql://x'}", "SE555"),
        ("databases: {d: 'env:HOME'}", "SE552"),
        ("policy: {max_leads: -1}", "SE504"),
        ("policy: {max_leads: many}", "SE503"),
        ("policy: {max_payout: 1.005}", "SE504"),
        ("policy: {max_payout: -1}", "SE504"),
        ("policy: {max_payout: 1e2}", "SE504"),
        ("policy: {max_change_percent: .inf}", "SE503"),
        ("policy: {maxleads: 1}", "SE501"),
        ("policy: {require_before: [trigger]}", "SE504"),
        ("policy: {allowed_deliveries: [buyer-z]}", "SE560"),
        ("policy: {repeat_trigger: maybe}", "SE504"),
        ("policy: {windows: [{days: [monday], from: '09:00', to: '10:00', time_zone: UTC}]}", "SE504"),
        ("policy: {windows: [{days: [mon], from: 09:00, to: '9:00', time_zone: UTC}]}", "SE504"),
        ("policy: {windows: [{days: [mon], from: '09:00', to: '09:00', time_zone: UTC}]}", "SE560"),
        ("policy: {windows: [{days: [mon], from: '09:00', to: '10:00', time_zone: ../../etc/passwd}]}", "SE560"),
        ("policy: {windows: [{days: [mon], from: '09:00', to: '10:00'}]}", "SE502"),
        ("policy: {budgets: [{per: day}]}", "SE504"),
        ("policy: {budgets: [{per: week, max_leads: 1}]}", "SE504"),
        ("policy: {waves: [0]}", "SE504"),
        ("policy: {stop_when: {after: 0}}", "SE504"),
        ("policy: {deny: [{when: 'op.kind ==', message: x}]}", "SE561"),
        ("policy: {deny: [{when: 'open(1)', message: x}]}", "SE561"),
        ("policy: {deny: [{when: 'row.x == 1', message: x}]}", "SE561"),
        ("policy: {deny: [{when: 'true'}]}", "SE502"),
        ("policy: {approvals: {required: 1}}", "SE560"),
        ("policy: {approvals: {required: 1, allowed_signers: ../x}}", "SE553"),
        ("policy: {approvals: {required: 1, allowed_signers: none}}", "SE553"),
        ("policy: {approvals: {required: 1, when: op.x, allowed_signers: .syncengine/allowed_signers}}", "SE561"),
        ("version: 1", "SE105"),
        ("acounts: {}", "SE501"),
    ],
)
def test_sections_that_are_refused(root: Path, section: str, code: str) -> None:
    error = refused(root, MINIMAL + section + "\n")
    assert codes(error) == [code]
    assert error.problems[0].line == 3


@pytest.mark.parametrize("text", ["", "[]", "x", "version: 1\n---\nversion: 1\n", "a: b: c", "\0", "[" * 5000])
def test_files_that_are_no_configuration(root: Path, text: str) -> None:
    refused(root, text)


def test_everything_wrong_is_told_at_once(root: Path) -> None:
    text = (
        "version: 2\naccounts:\n  a: {base_url: 'http://a.example', api_key: K}\n"
        "ledger: {url: x}\npolicy: {max_payout: 1.234, wave: [1]}\n"
    )
    error = refused(root, text)
    assert codes(error) == ["SE504", "SE550", "SE551", "SE555", "SE504", "SE501"]
    assert str(error).endswith("(5 more)")


def test_the_ledger_may_lie_anywhere_and_its_key_beside_it(root: Path) -> None:
    found = load(root, MINIMAL + "ledger: {url: 'sqlite:////srv/led/l.db', key: 'file:/srv/led/l.key'}\n")
    assert (found.ledger.url, found.ledger.key_path) == ("sqlite:////srv/led/l.db", "/srv/led/l.key")


def test_the_ledger_url_may_come_from_a_variable(root: Path) -> None:
    pin = load(root, MINIMAL + "ledger: {url: 'env:SYNCENGINE_LEDGER'}\n").ledger
    assert (pin.url, pin.url_env) == ("", "SYNCENGINE_LEDGER")
    assert ledger_url(pin, {"SYNCENGINE_LEDGER": "postgresql://u:p@h/d"}) == "postgresql://u:p@h/d"
    for value in ("", "mysql://x", "sqlite:///relative.db", SECRET):
        with pytest.raises(ConfigError) as caught:
            ledger_url(pin, {"SYNCENGINE_LEDGER": value})
        assert SECRET not in str(caught.value)


def test_a_password_in_the_file_is_warned_of_without_repeating_it(root: Path) -> None:
    found = load(root, MINIMAL + f"ledger: {{url: 'postgresql://u:{SECRET}@h/d'}}\n")
    assert [each.severity for each in found.warnings] == ["warning"]
    assert SECRET not in render_text(found.warnings, colour=False)


def test_an_outside_policy_replaces_the_section(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "guard" / "policy.yaml"
    outside.parent.mkdir()
    (outside.parent / "signers").write_text("bob@example.com ssh-ed25519 CCCC\n")
    rules = "max_leads: 7\napprovals: {required: 2, allowed_signers: signers}\n"
    outside.write_text(rules)
    found = load(root, FULL, policy=outside).policy
    assert (found.max_leads, found.max_payout, found.file) == (7, None, str(outside))
    assert found.approvals is not None
    assert found.approvals.allowed_signers == str(outside.parent / "signers")
    assert load(root, FULL, {"SYNCENGINE_POLICY": str(outside)}).policy == found
    outside.write_text("version: 1\npolicy:\n" + "".join(f"  {line}\n" for line in rules.splitlines()))
    assert load(root, FULL, policy=outside).policy.digest == found.digest


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ("max_lead: 7\n", "SE501"),
        ("policy: {max_leads: x}\n", "SE503"),
        ("policy: {}\nmax_leads: 1\n", "SE501"),
        ("approvals: {required: 1, allowed_signers: ../repo/.syncengine/allowed_signers}\n", "SE553"),
        ("[]", "SE503"),
        ("", "SE101"),
    ],
)
def test_outside_policies_that_are_refused(root: Path, tmp_path: Path, rules: str, code: str) -> None:
    folder = tmp_path / "guard"
    folder.mkdir()
    (folder / "policy.yaml").write_text(rules)
    error = refused(root, MINIMAL, policy=folder / "policy.yaml")
    assert codes(error) == [code]
    assert error.problems[0].file.endswith("policy.yaml")


def test_a_policy_that_is_not_there_is_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        load(root, MINIMAL, {"SYNCENGINE_POLICY": str(tmp_path / "none.yaml")})


def test_finding(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "syncengine.yaml").write_text(MINIMAL)
    other = root / "other.yaml"
    other.write_text(MINIMAL)
    deep = root / "specs" / "more"
    deep.mkdir(parents=True)
    assert find_configuration(deep, None, {}).path == root / "syncengine.yaml"
    assert find_configuration(deep, "../../other.yaml", {}).path.samefile(other)
    assert find_configuration(deep, None, {"SYNCENGINE_CONFIG": str(other)}).path == other
    assert find_configuration(deep, str(root), {"SYNCENGINE_CONFIG": str(other)}).path == root / "syncengine.yaml"
    with pytest.raises(ConfigError, match=r"none\.yaml"):
        find_configuration(deep, "none.yaml", {})
    with pytest.raises(ConfigError, match="SYNCENGINE_CONFIG"):
        find_configuration(deep, None, {"SYNCENGINE_CONFIG": "none.yaml"})


def test_finding_through_a_path(root: Path, tmp_path: Path) -> None:
    (root / "syncengine.yaml").write_text(MINIMAL)
    deep = root / "specs" / "more"
    deep.mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    found = find_configuration(elsewhere, None, {}, [deep, elsewhere])
    assert found == (root / "syncengine.yaml", deep)
    assert find_configuration(deep, None, {}, [elsewhere]).through is None
    with pytest.raises(ConfigError, match="nor in or above"):
        find_configuration(elsewhere, None, {}, [elsewhere / "gone", deep])


def test_without_a_configuration_the_way_out_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        find_configuration(tmp_path, None, {})
    assert "syncengine init" in caught.value.hint


def test_special_files_are_no_configuration(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "syncengine.yaml")
    with pytest.raises(ConfigError):
        load_configuration(tmp_path / "syncengine.yaml", {})


def _told(path: Path) -> str:
    """The policy's digest, or what is wrong."""
    try:
        return load_configuration(path, {}).policy.digest
    except ConfigError as error:
        return str(error)


_LINES = st.lists(
    st.sampled_from(FULL.splitlines()) | st.text(alphabet="ab: {}[]'\"-,1.#&*\n", max_size=20), min_size=1, max_size=25
)


@settings(max_examples=300, deadline=None)
@given(_LINES)
def test_any_configuration_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    path = tmp_path_factory.mktemp("any") / "syncengine.yaml"
    path.write_text("\n".join(lines))
    assert _told(path)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_configuration_with_any_line_replaced_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    lines = FULL.splitlines()
    number = data.draw(st.integers(0, len(lines) - 1))
    key = lines[number].partition(":")[0]
    lines[number] = f"{key}: {data.draw(st.text(max_size=12))!r}"
    path = tmp_path_factory.mktemp("line") / "syncengine.yaml"
    path.write_text("\n".join(lines))
    assert _told(path)
