  // The table's window: only rows near the visible part exist as elements. `open` maps a position to its detail's height.
  const OVERSCAN = 12;
  const scroller = byId("scroller"), table = byId("table"), head = table.tHead;
  const drawn = new Map(), open = new Map();
  let rowHeight = 46;
  const element = (tag, className, content) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (content !== undefined) made.textContent = content;
    return made;
  };
  const measure = () => { rowHeight = Number(getComputedStyle(document.documentElement).getPropertyValue("--row")) || 46; };
  const topOf = (position) => {
    let top = position * rowHeight;
    for (const [at, height] of open) if (at < position) top += height;
    return top;
  };
  const positionAt = (offset) => {
    let low = 0, high = shown.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (topOf(middle + 1) <= offset) low = middle + 1; else high = middle;
    }
    return low;
  };
  const clear = () => { drawn.clear(); for (const item of [...table.tBodies]) item.remove(); };
  const draw = () => {
    const base = head.offsetHeight, from = scroller.scrollTop;
    table.style.height = `${base + topOf(shown.length)}px`;
    const first = Math.max(0, positionAt(from) - OVERSCAN);
    const last = Math.min(shown.length, positionAt(from + scroller.clientHeight) + OVERSCAN);
    for (const [position, item] of drawn) {
      if (position < first || position >= last) { item.remove(); drawn.delete(position); }
    }
    let next = head.nextSibling;
    for (let position = first; position < last; position += 1) {
      let item = drawn.get(position);
      if (!item) { item = build(position); drawn.set(position, item); }
      item.style.transform = `translateY(${base + topOf(position)}px)`;
      if (item === next) next = next.nextSibling; else table.insertBefore(item, next);
    }
  };
  const filter = () => {
    if (sorted.key && sortedFor !== field()) sort();
    const all = tests();
    shown = all.length ? order.filter((index) => all.every((test) => test(index))) : order;
    open.clear();
    byId("count").textContent = shown.length === rows.length
      ? `${count.format(rows.length)} operation${rows.length === 1 ? "" : "s"}`
      : `Showing ${count.format(shown.length)} of ${count.format(rows.length)} operations`;
    sayFinding();
    table.setAttribute("aria-rowcount", String(shown.length + 1));
    byId("nothing").hidden = shown.length > 0;
    remember();
    clear();
    scroller.scrollTop = 0;
    draw();
  };
  const sayFinding = () => {
    const line = byId("of-finding");
    line.hidden = chosen === null;
    if (chosen === null) return;
    const { message, severity, shown: told, count: all } = findings[chosen];
    const part = told < all ? ` The table shows ${count.format(told)} of the ${count.format(all)} that it counts.` : "";
    line.replaceChildren(element("span", `severity ${severity}`, severity), ` ${message}.${part} `, stop);
  };
  const stop = element("button", "link", "show all again");
  stop.type = "button";

  const cell = (className, ...lines) => {
    const made = element("td", className);
    for (const line of lines) made.append(line);
    return made;
  };
  const line = (content, className) => {
    const made = element("span", className ? `line ${className}` : "line", content);
    made.title = content;
    return made;
  };
  const numberLine = (amount, shownAs) => (Number.isFinite(amount) ? line(shownAs(amount), amount < 0 ? "number negative" : "number") : line("", "number"));
  // One or two values of a row, amounts first; of more, the second line says how many there are.
  const valueLines = (row) => {
    const found = diffsOf(row, field()), lines = { what: [], before: [], after: [], difference: [] };
    const first = row[KIND] === financials ? found.filter((at) => amounts.has(row[at])) : [];
    const picked = first.length ? first : found.length > 2 ? found.slice(0, 1) : found;
    const rest = found.filter((at) => !picked.includes(at));
    for (const at of picked) {
      const isAmount = first.includes(at), before = inCents(row[at + 1]), after = inCents(row[at + 2]);
      lines.what.push(line(text(row[at]), row[at + 4] ? "" : "quiet"));
      lines.before.push(isAmount && Number.isFinite(before) ? numberLine(before, money) : line(row[at + 1] ?? "unknown", row[at + 1] === null ? "quiet" : ""));
      lines.after.push(isAmount && Number.isFinite(after) ? numberLine(after, money) : line(row[at + 2]));
      lines.difference.push(isAmount ? numberLine(after - before, signed) : line(""));
    }
    if (first.length) {
      // A buyer that stays is shown in the details only.
      const moved = rest.filter((at) => row[at + 1] !== row[at + 2]).map((at) => `${text(row[at])} ${row[at + 1] ?? "unknown"} → ${row[at + 2]}`).join(", ");
      if (moved && first.length === 1) lines.what.push(line(moved));
      else if (moved) { lines.what[1].textContent += `, ${moved}`; lines.what[1].title = lines.what[1].textContent; }
    } else if (rest.length) lines.what.push(line(`and ${rest.length} more fields`, "quiet"));
    if (row[WHAT]) lines.what.push(line(text(row[WHAT])));
    if (!lines.what.length) lines.what.push(line("—"));
    return lines;
  };
  const build = (position) => {
    const index = shown[position], row = rows[index];
    const item = element("tbody", `item${irreversible(row) ? " irreversible" : ""}${worst[index] ? ` flagged-${worst[index]}` : ""}`);
    const made = element("tr", "row");
    made.setAttribute("aria-rowindex", String(position + 2));
    const toggle = element("button");
    toggle.type = "button";
    toggle.dataset.position = String(position);
    toggle.setAttribute("aria-expanded", "false");
    toggle.setAttribute("aria-label", `Details of ${names.kinds[row[KIND]]} of lead ${row[LEAD]}`);
    const state = element("span", `pill ${names.stateKeys[row[STATE]]}`, names.states[row[STATE]]);
    const kind = [line(`${irreversible(row) ? "‼ " : ""}${names.kinds[row[KIND]]}`)];
    if (worst[index]) kind.push(line(worst[index] === 2 ? "high finding" : "finding", `flag-${worst[index]}`));
    const lines = valueLines(row), margin = marginOf(row);
    made.append(
      cell("c-more", toggle),
      cell("c-kind", ...kind),
      cell("c-lead", line(row[LEAD])),
      cell("c-what", ...lines.what),
      cell("c-before number", ...lines.before),
      cell("c-after number", ...lines.after),
      cell("c-difference number", ...lines.difference),
      cell("c-margin number", margin === null ? "" : numberLine(margin.after, money)),
      cell("c-state", state),
      cell("c-source", line(sourceOf(row)), line(names.changes[row[CHANGE]].join(" · "), "change")),
    );
    item.append(made);
    if (open.has(position)) expand(item, index, toggle);
    return item;
  };
  const linked = (shownAs, address) => {
    if (!/^https?:\/\//.test(address)) return element("span", "value", shownAs);
    const made = element("a", "value", shownAs);
    made.href = address;
    made.rel = "noreferrer";
    return made;
  };
  const describe = (index) => {
    const row = rows[index], list = element("dl");
    const add = (label, ...parts) => {
      const value = element("dd");
      value.append(...parts);
      list.append(element("dt", "", label), value);
    };
    for (const number of findingsOf.get(index) ?? []) {
      const { severity, message } = findings[number];
      add("finding", element("span", `severity ${severity}`, severity), ` ${message}`);
    }
    for (let at = DIFFS; at < row.length; at += STEP) {
      const moved = element("span", "value", `${row[at + 1] ?? "unknown"} → ${row[at + 2]}`);
      const origin = `before: ${text(row[at + 3])}${row[at + 4] ? "" : " (already so, not sent)"}`;
      add(text(row[at]), moved, element("span", "origin", origin));
    }
    const margin = marginOf(row);
    if (margin && Number.isFinite(margin.after)) {
      const known = Number.isFinite(margin.before) ? money(margin.before) : "unknown";
      add("margin", element("span", margin.after < 0 ? "value negative" : "value", `${known} → ${money(margin.after)}`));
    }
    if (row[WHAT]) add("does", text(row[WHAT]));
    if (irreversible(row)) add("risk", "irreversible: cannot be taken back");
    if (row[DONE]) add("done before", `by ${text(row[DONE])}`);
    if (row[REASON]) add("reason", text(row[REASON]));
    add("change", names.changes[row[CHANGE]].join(" · "));
    const link = names.links[row[CHANGE]];
    if (sourceOf(row) !== declaredAt(row)) add("data", linked(sourceOf(row), link.endsWith("#L") ? (row[DATA] ? link + row[DATA] : "") : link));
    add("changeset", linked(declaredAt(row), names.placeLinks[row[PLACE]] ?? ""));
    add("operation", element("span", "value", row[ID]));
    return list;
  };
  const expand = (item, index, toggle) => {
    const detail = element("tr", "detail");
    const whole = cell("", describe(index));
    whole.colSpan = 10;
    detail.append(whole);
    item.append(detail);
    item.classList.add("open");
    toggle.setAttribute("aria-expanded", "true");
    return detail;
  };
  const flip = (position) => {
    const item = drawn.get(position), toggle = item.querySelector("button");
    if (open.delete(position)) {
      item.querySelector(".detail").remove();
      item.classList.remove("open");
      toggle.setAttribute("aria-expanded", "false");
    } else {
      open.set(position, expand(item, shown[position], toggle).offsetHeight);
    }
    draw();
  };
  const focusOn = (position) => {
    const top = topOf(position), below = topOf(position + 1);
    const room = scroller.clientHeight - head.offsetHeight;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (below > scroller.scrollTop + room) scroller.scrollTop = below - room;
    draw();
    drawn.get(position)?.querySelector("button").focus({ preventScroll: true });
    scroller.scrollIntoView({ block: "nearest" });
  };

