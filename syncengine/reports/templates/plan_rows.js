  // What the page carries: rows as arrays, whose recurring texts are numbers; see html_table.py.
  const byId = (id) => document.getElementById(id);
  const read = (id) => JSON.parse(byId(id).textContent);
  const names = read("names"), rows = read("rows"), findings = read("found");
  const ID = 0, CHANGE = 1, KIND = 2, LEAD = 3, STATE = 4, PLACE = 5, ROW = 6, DATA = 7, WHAT = 8, REASON = 9, DONE = 10,
    DELIVERY = 11, BUYER = 12, OTHER = 13, DIFFS = 14, STEP = 5;
  const text = (number) => names.texts[number];
  const irreversible = (row) => names.irreversible[row[KIND]];
  const count = new Intl.NumberFormat("en");
  const cents = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const amounts = new Set(["payout", "revenue"].map((name) => names.texts.indexOf(name)).filter((number) => number > 0));
  const payoutName = names.texts.indexOf("payout"), financials = names.kinds.indexOf("financials");

  // Money in hundredths, so that sums and differences are exact; NaN where it is no amount.
  const inCents = (shown) => (shown === null || !/^-?\d+(\.\d\d?)?$/.test(shown) ? NaN : Math.round(Number(shown) * 100));
  const money = (amount) => cents.format(amount / 100);
  const signed = (amount) => (amount > 0 ? `+${money(amount)}` : money(amount));

  // The place of a row: its line in the data where it came from a file, else its line in the changeset.
  const declaredAt = (row) => (row[ROW] ? `${text(row[PLACE])} row ${row[ROW]}` : text(row[PLACE]));
  const sourceOf = (row) => {
    const file = names.files[row[CHANGE]];
    if (!file || !(row[DATA] || row[ROW])) return declaredAt(row);
    return row[DATA] ? `${file}:${row[DATA]}` : `${file} row ${row[ROW]}`;
  };

  // The values of a row that a cell shows: those that are sent, the chosen field alone where one is chosen.
  const diffsOf = (row, field) => {
    const found = [];
    for (let at = DIFFS; at < row.length; at += STEP) {
      if (field ? row[at] === field : row[at + 4]) found.push(at);
    }
    return found;
  };
  // The amount that a row is sorted by: of the chosen field, else the one that moves most.
  const amountOf = (row, field) => {
    if (row[KIND] !== financials) return null;
    let best = null;
    for (const at of diffsOf(row, field)) {
      if (!amounts.has(row[at])) continue;
      const before = inCents(row[at + 1]), after = inCents(row[at + 2]);
      const found = { name: row[at], before, after, difference: after - before };
      if (best === null || Math.abs(found.difference || 0) > Math.abs(best.difference || 0)) best = found;
    }
    return best;
  };

  // Revenue less payout. An amount that the operation does not set is what another one of the plan makes it, or what it was.
  let elsewhere = null;
  const setAlone = () => {
    if (elsewhere) return elsewhere;
    elsewhere = new Map();
    for (const row of rows) {
      if (row[KIND] !== financials || names.unsent[row[STATE]]) continue;
      const set = [];
      for (let at = DIFFS; at < row.length; at += STEP) if (amounts.has(row[at])) set.push(at);
      if (set.length === 1) elsewhere.set(`${row[set[0]] === payoutName ? "payout" : "revenue"} ${row[LEAD]}`, inCents(row[set[0] + 2]));
    }
    return elsewhere;
  };
  const marginOf = (row) => {
    if (row[KIND] !== financials) return null;
    const before = { payout: NaN, revenue: NaN }, after = { payout: NaN, revenue: NaN };
    let set = "";
    for (let at = DIFFS; at < row.length; at += STEP) {
      if (!amounts.has(row[at])) continue;
      const name = row[at] === payoutName ? "payout" : "revenue";
      before[name] = inCents(row[at + 1]);
      after[name] = inCents(row[at + 2]);
      set = set ? "both" : name;
    }
    if (!set) return null;
    if (set !== "both") {
      const other = set === "payout" ? "revenue" : "payout";
      before[other] = inCents(row[OTHER]);
      after[other] = setAlone().get(`${other} ${row[LEAD]}`) ?? before[other];
    }
    return { before: before.revenue - before.payout, after: after.revenue - after.payout };
  };

  // Which findings a row belongs to. Flagged are those of findings that ask for a look.
  const findingsOf = new Map();
  const worst = new Uint8Array(rows.length);
  findings.forEach((finding, number) => {
    const rank = { high: 2, medium: 1 }[finding.severity] ?? 0;
    finding.shown = 0;
    for (let at = 0; at < finding.rows.length; at += 2) {
      for (let index = finding.rows[at]; index < finding.rows[at] + finding.rows[at + 1]; index += 1) {
        if (findingsOf.has(index)) findingsOf.get(index).push(number); else findingsOf.set(index, [number]);
        if (rank > worst[index]) worst[index] = rank;
        finding.shown += 1;
      }
    }
  });
  const isOf = (number) => {
    const found = new Uint8Array(rows.length), runs = findings[number].rows;
    for (let at = 0; at < runs.length; at += 2) found.fill(1, runs[at], runs[at] + runs[at + 1]);
    return (index) => found[index] === 1;
  };

  let haystack = null;
  const searchable = () => {
    haystack ??= rows.map((row) => {
      const parts = [row[ID], names.kinds[row[KIND]], row[LEAD], names.states[row[STATE]], sourceOf(row), declaredAt(row), text(row[WHAT]), text(row[REASON]), text(row[DONE]), text(row[DELIVERY]), text(row[BUYER]), ...names.changes[row[CHANGE]]];
      for (let at = DIFFS; at < row.length; at += STEP) parts.push(text(row[at]), row[at + 1] ?? "", row[at + 2], text(row[at + 3]));
      return parts.join("\n").toLowerCase();
    });
    return haystack;
  };

