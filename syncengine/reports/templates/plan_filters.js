  // Filters and order. `order` holds all rows as sorted, `shown` those that pass. The fragment of the address holds both.
  const controls = Object.fromEntries(["q", "kind", "change", "buyer", "delivery", "field", "state", "flagged"].map((id) => [id, byId(id)]));
  const MANY = 400;
  const option = (value, label) => {
    const made = document.createElement("option");
    made.value = value;
    made.textContent = label;
    return made;
  };
  const words = new Intl.Collator("en", { numeric: true });
  const fill = (control, values) => {
    for (const value of [...values].sort(words.compare)) control.append(option(value, value));
    control.disabled = values.size === 0;
  };
  const distinct = (at) => {
    const seen = new Set();
    for (const row of rows) if (row[at]) seen.add(row[at]);
    return new Set([...seen].map(text));
  };
  const fillControls = () => {
    const kinds = new Set(), states = new Set(), fields = new Set();
    for (const row of rows) {
      kinds.add(row[KIND]);
      states.add(row[STATE]);
      for (let at = DIFFS; at < row.length; at += STEP) fields.add(row[at]);
    }
    names.kinds.forEach((kind, index) => { if (kinds.has(index)) controls.kind.append(option(kind, kind)); });
    names.states.forEach((state, index) => { if (states.has(index)) controls.state.append(option(names.stateKeys[index], state)); });
    fill(controls.buyer, distinct(BUYER));
    fill(controls.delivery, distinct(DELIVERY));
    fill(controls.field, new Set([...fields].map(text)));
    const sets = new Map();
    for (const [set, change] of names.changes) sets.set(set, [...(sets.get(set) ?? []), change]);
    for (const [set, changes] of sets) {
      controls.change.append(option(JSON.stringify([set]), set));
      if (names.changes.length <= MANY) for (const change of changes) controls.change.append(option(JSON.stringify([set, change]), `\u2003${change}`));
    }
  };
  // A value that the fragment names and no option offers still filters: nothing then matches, and the page says so.
  const choose = (control, value) => {
    control.value = value;
    if (control.value !== value) {
      control.append(option(value, value));
      control.value = value;
    }
  };

  let chosen = null, sorted = { key: "", down: false }, sortedFor = 0;
  const field = () => (controls.field.value ? Math.max(names.texts.indexOf(controls.field.value), 0) || -1 : 0);
  // Those with findings first, the worst of them before the others; those that are not sent last.
  const planOrder = rows.map((_, index) => index);
  const weight = (index) => (worst[index] ? 3 - worst[index] : names.unsent[rows[index][STATE]] ? 5 : irreversible(rows[index]) ? 3 : 4);
  planOrder.sort((a, b) => weight(a) - weight(b) || a - b);
  let order = planOrder, shown = planOrder;
  const numeric = (pick) => () => {
    const at = field();
    return rows.map((row) => { const found = pick(row, at); return Number.isFinite(found) ? found : null; });
  };
  const ranked = (list) => {
    const places = new Array(list.length);
    [...list.keys()].sort((a, b) => words.compare(list[a], list[b])).forEach((index, place) => { places[index] = place; });
    return places;
  };
  const keys = {
    kind: () => { const places = ranked(names.kinds); return rows.map((row) => (irreversible(row) ? 0 : 100) + places[row[KIND]]); },
    lead: () => rows.map((row) => row[LEAD].padStart(20, "0")),
    what: () => { const at = field(); return rows.map((row) => text(row[WHAT]) || diffsOf(row, at).map((found) => text(row[found])).join(" ")); },
    before: numeric((row, at) => amountOf(row, at)?.before),
    after: numeric((row, at) => amountOf(row, at)?.after),
    difference: numeric((row, at) => amountOf(row, at)?.difference),
    margin: numeric((row) => marginOf(row)?.after),
    state: () => rows.map((row) => row[STATE]),
    source: () => rows.map((row) => sourceOf(row).replace(/\d+/g, (digits) => digits.padStart(9, "0"))),
  };
  const sort = () => {
    if (!(sorted.key in keys)) sorted = { key: "", down: false };
    sortedFor = field();
    if (sorted.key) {
      const values = keys[sorted.key](), sign = sorted.down ? -1 : 1;
      // What is not known comes last, whichever way.
      order = planOrder.slice().sort((a, b) => {
        const one = values[a], two = values[b];
        if (one === null || two === null) return (one === null) - (two === null) || a - b;
        return one < two ? -sign : one > two ? sign : a - b;
      });
    } else order = planOrder;
    for (const button of document.querySelectorAll("[data-sort]")) {
      const way = button.dataset.sort !== sorted.key ? "none" : sorted.down ? "descending" : "ascending";
      button.parentElement.setAttribute("aria-sort", way);
    }
  };
  const sortBy = (key) => {
    if (sorted.key !== key) sorted = { key, down: false };
    else sorted = sorted.down ? { key: "", down: false } : { key, down: true };
    sort();
    filter();
  };
  const tests = () => {
    const found = [];
    const { q, kind, change, buyer, delivery, state, flagged } = controls;
    const same = (at, number) => found.push((index) => rows[index][at] === number);
    if (chosen !== null) found.push(isOf(chosen));
    if (kind.value === "irreversible") found.push((index) => irreversible(rows[index]));
    else if (kind.value) same(KIND, names.kinds.indexOf(kind.value));
    if (state.value) same(STATE, names.stateKeys.indexOf(state.value));
    if (buyer.value) same(BUYER, names.texts.indexOf(buyer.value));
    if (delivery.value) same(DELIVERY, names.texts.indexOf(delivery.value));
    if (controls.field.value) { const at = field(); found.push((index) => diffsOf(rows[index], at).length > 0); }
    if (flagged.checked) found.push((index) => worst[index] > 0);
    if (change.value) {
      let wanted = [];
      try { wanted = JSON.parse(change.value); } catch { /* no change has such a name */ }
      const fits = names.changes.map((key) => Array.isArray(wanted) && wanted.length > 0 && wanted.every((part, at) => part === key[at]));
      found.push((index) => fits[rows[index][CHANGE]]);
    }
    for (const word of q.value.toLowerCase().split(/\s+/).filter(Boolean)) {
      const texts = searchable();
      found.push((index) => texts[index].includes(word));
    }
    return found;
  };

  // The state in the fragment: the message of a finding tells it apart, its number may change from plan to plan.
  const findingKey = (number) => `${findings[number].rule}.${findings.slice(0, number).filter((other) => other.rule === findings[number].rule).length + 1}`;
  const findingAt = (key) => {
    const number = findings.findIndex((_, at) => findingKey(at) === key);
    return number < 0 ? null : number;
  };
  const fragment = () => {
    const state = new URLSearchParams();
    if (chosen !== null) state.set("finding", findingKey(chosen));
    for (const [name, control] of Object.entries(controls)) {
      if (control.type === "checkbox") { if (control.checked) state.set(name, "1"); } else if (control.value) state.set(name, control.value);
    }
    if (sorted.key) state.set("sort", sorted.down ? `-${sorted.key}` : sorted.key);
    return state.toString();
  };
  const remember = () => {
    const state = fragment(), now = location.hash.slice(1);
    if (state !== now && (state || now.includes("="))) history.replaceState(null, "", `#${state}`);
  };
  const restore = () => {
    const state = new URLSearchParams(location.hash.slice(1));
    chosen = findingAt(state.get("finding"));
    for (const [name, control] of Object.entries(controls)) {
      if (control.type === "checkbox") control.checked = state.get(name) === "1";
      else if (control.tagName === "SELECT") choose(control, state.get(name) ?? "");
      else control.value = state.get(name) ?? "";
    }
    const key = state.get("sort") ?? "";
    sorted = { key: key.replace(/^-/, ""), down: key.startsWith("-") };
    sort();
    filter();
    return state.size > 0 && location.hash.includes("=");
  };
  const forget = () => {
    chosen = null;
    for (const control of Object.values(controls)) if (control.type === "checkbox") control.checked = false; else control.value = "";
  };

