
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const names = JSON.parse(byId("names").textContent);
  const rows = JSON.parse(byId("rows").textContent);
  const ID = 0, CHANGE = 1, KIND = 2, LEAD = 3, STATE = 4, SOURCE = 5, WHAT = 6, REASON = 7, DONE = 8, DIFFS = 9, STEP = 5;
  const PRINTED = 2000, OVERSCAN = 12;
  const text = (number) => names.texts[number];
  const irreversible = (row) => names.irreversible[row[KIND]];
  const count = new Intl.NumberFormat("en");
  const element = (tag, className, content) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (content !== undefined) made.textContent = content;
    return made;
  };

  const whatOf = (row) => {
    const parts = row[WHAT] ? [text(row[WHAT])] : [];
    for (let at = DIFFS; at < row.length; at += STEP) {
      if (row[at + 4]) parts.push(`${text(row[at])} ${row[at + 1] ?? "unknown"} → ${row[at + 2]}`);
    }
    return parts.join(" · ");
  };
  let haystack = null;
  const searchable = () => {
    haystack ??= rows.map((row) => {
      const parts = [row[ID], names.kinds[row[KIND]], row[LEAD], names.states[row[STATE]], row[SOURCE], text(row[WHAT]), text(row[REASON]), text(row[DONE]), ...names.changes[row[CHANGE]]];
      for (let at = DIFFS; at < row.length; at += STEP) parts.push(text(row[at]), row[at + 1] ?? "", row[at + 2], text(row[at + 3]));
      return parts.join("\n").toLowerCase();
    });
    return haystack;
  };

  // Order and filter. `order` holds all rows as sorted, `shown` those that pass the filters.
  const planOrder = rows.map((_, index) => index);
  planOrder.sort((a, b) => irreversible(rows[b]) - irreversible(rows[a]) || a - b);
  let order = planOrder, shown = planOrder, sorted = { key: "", down: false };
  const words = new Intl.Collator("en", { numeric: true });
  const rank = (list) => {
    const places = new Array(list.length);
    [...list.keys()].sort((a, b) => words.compare(list[a], list[b])).forEach((index, place) => { places[index] = place; });
    return places;
  };
  const keys = {
    kind: () => { const places = rank(names.kinds); return rows.map((row) => (irreversible(row) ? 0 : 10) + places[row[KIND]]); },
    lead: () => rows.map((row) => row[LEAD].padStart(20, "0")),
    what: () => rows.map(whatOf),
    state: () => rows.map((row) => row[STATE]),
    change: () => { const places = rank(names.changes.map((change) => change.join(" "))); return rows.map((row) => places[row[CHANGE]]); },
    source: () => rows.map((row) => row[SOURCE].replace(/\d+/g, (digits) => digits.padStart(9, "0"))),
  };
  const sortBy = (key) => {
    if (sorted.key !== key) sorted = { key, down: false };
    else sorted = sorted.down ? { key: "", down: false } : { key, down: true };
    if (sorted.key) {
      const values = keys[sorted.key](), sign = sorted.down ? -1 : 1;
      order = planOrder.slice().sort((a, b) => (values[a] < values[b] ? -sign : values[a] > values[b] ? sign : a - b));
    } else order = planOrder;
    for (const button of document.querySelectorAll("[data-sort]")) {
      const way = button.dataset.sort !== sorted.key ? "none" : sorted.down ? "descending" : "ascending";
      button.parentElement.setAttribute("aria-sort", way);
    }
    filter();
  };
  const controls = { search: byId("search"), kind: byId("kind"), state: byId("state"), change: byId("change") };
  const tests = () => {
    const found = [];
    const { search, kind, state, change } = controls;
    if (kind.value === "irreversible") found.push((index) => irreversible(rows[index]));
    else if (kind.value) found.push((index) => rows[index][KIND] === Number(kind.value));
    if (state.value) found.push((index) => rows[index][STATE] === Number(state.value));
    if (change.value.startsWith("set:")) found.push((index) => names.changes[rows[index][CHANGE]][0] === change.value.slice(4));
    else if (change.value) found.push((index) => rows[index][CHANGE] === Number(change.value));
    for (const word of search.value.toLowerCase().split(/\s+/).filter(Boolean)) {
      const texts = searchable();
      found.push((index) => texts[index].includes(word));
    }
    return found;
  };
  const filter = () => {
    const all = tests();
    shown = all.length ? order.filter((index) => all.every((test) => test(index))) : order;
    open.clear();
    byId("count").textContent = shown.length === rows.length
      ? `${count.format(rows.length)} operation${rows.length === 1 ? "" : "s"}`
      : `Showing ${count.format(shown.length)} of ${count.format(rows.length)} operations`;
    byId("table").setAttribute("aria-rowcount", String(shown.length + 1));
    clear();
    scroller.scrollTop = 0;
    draw();
  };

  // The window: only rows near the visible part exist as elements. `open` maps a position to its detail's height.
  const scroller = byId("scroller"), body = byId("body");
  const drawn = new Map(), open = new Map();
  let rowHeight = 40, printing = false;
  const measure = () => { rowHeight = Number(getComputedStyle(document.documentElement).getPropertyValue("--row")) || 40; };
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
  const clear = () => { drawn.clear(); body.replaceChildren(); };
  const draw = () => {
    body.style.height = `${topOf(shown.length)}px`;
    if (!shown.length && !body.firstChild) body.append(element("p", "nothing", "No operation matches. Clear the filters to see them all."));
    if (!shown.length) { body.style.height = "auto"; return; }
    const head = scroller.scrollTop;
    const first = printing ? 0 : Math.max(0, positionAt(head) - OVERSCAN);
    const last = printing ? Math.min(shown.length, PRINTED) : Math.min(shown.length, positionAt(head + scroller.clientHeight) + OVERSCAN);
    for (const [position, item] of drawn) {
      if (position < first || position >= last) { item.remove(); drawn.delete(position); }
    }
    let next = body.firstChild;
    for (let position = first; position < last; position += 1) {
      let item = drawn.get(position);
      if (!item) { item = build(position); drawn.set(position, item); }
      item.style.transform = `translateY(${topOf(position)}px)`;
      if (item === next) next = next.nextSibling; else body.insertBefore(item, next);
    }
  };
  const cell = (className, content, title) => {
    const made = element("div", className, content);
    made.setAttribute("role", "cell");
    if (title) made.title = content;
    return made;
  };
  const build = (position) => {
    const row = rows[shown[position]];
    const item = element("div", `item${irreversible(row) ? " irreversible" : ""}`);
    const line = element("div", "row");
    line.setAttribute("role", "row");
    line.setAttribute("aria-rowindex", String(position + 2));
    const toggle = element("button");
    toggle.type = "button";
    toggle.dataset.position = String(position);
    toggle.setAttribute("aria-expanded", "false");
    toggle.setAttribute("aria-label", `Details of ${names.kinds[row[KIND]]} of lead ${row[LEAD]}`);
    const more = cell("c-more");
    more.append(toggle);
    const state = cell("c-state");
    state.append(element("span", `pill ${names.stateKeys[row[STATE]]}`, names.states[row[STATE]]));
    line.append(
      more,
      cell("c-kind", `${irreversible(row) ? "‼ " : ""}${names.kinds[row[KIND]]}`),
      cell("c-lead", row[LEAD], true),
      cell("c-what", whatOf(row) || "—", true),
      state,
      cell("c-change", names.changes[row[CHANGE]].join(" · "), true),
      cell("c-source", row[SOURCE], true),
    );
    item.append(line);
    if (open.has(position)) expand(item, row, toggle);
    return item;
  };
  const expand = (item, row, toggle) => {
    const detail = element("div", "detail");
    detail.setAttribute("role", "group");
    detail.setAttribute("aria-label", `Details of lead ${row[LEAD]}`);
    const list = element("dl");
    const add = (label, ...parts) => {
      const value = element("dd");
      value.append(...parts);
      list.append(element("dt", "", label), value);
    };
    for (let at = DIFFS; at < row.length; at += STEP) {
      const moved = element("span", "value", `${row[at + 1] ?? "unknown"} → ${row[at + 2]}`);
      const origin = `${text(row[at + 3])}${row[at + 4] ? "" : " (already so, not sent)"}`;
      add(text(row[at]), moved, element("span", "origin", origin));
    }
    if (row[WHAT]) add("does", text(row[WHAT]));
    if (irreversible(row)) add("risk", "irreversible: cannot be taken back");
    if (row[DONE]) add("done before", `by ${text(row[DONE])}`);
    if (row[REASON]) add("reason", text(row[REASON]));
    add("change", names.changes[row[CHANGE]].join(" · "));
    add("source", element("span", "value", row[SOURCE]));
    add("operation", element("span", "value", row[ID]));
    detail.append(list);
    item.append(detail);
    item.classList.add("open");
    toggle.setAttribute("aria-expanded", "true");
    return detail;
  };
  const flip = (position) => {
    const item = drawn.get(position);
    const toggle = item.querySelector("button");
    if (open.delete(position)) {
      item.querySelector(".detail").remove();
      item.classList.remove("open");
      toggle.setAttribute("aria-expanded", "false");
    } else {
      open.set(position, expand(item, rows[shown[position]], toggle).offsetHeight);
    }
    draw();
  };

  // Events.
  const option = (value, label) => { const made = element("option", "", label); made.value = value; return made; };
  names.kinds.forEach((kind, index) => controls.kind.append(option(String(index), kind)));
  names.states.forEach((state, index) => controls.state.append(option(String(index), state)));
  const sets = new Map();
  names.changes.forEach(([set, change], index) => sets.set(set, [...(sets.get(set) ?? []), [index, change]]));
  for (const [set, changes] of sets) {
    controls.change.append(option(`set:${set}`, set));
    if (names.changes.length <= 400) for (const [index, change] of changes) controls.change.append(option(String(index), `\u2003${change}`));
  }
  let waiting = 0;
  controls.search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 90); });
  for (const name of ["kind", "state", "change"]) controls[name].addEventListener("change", filter);
  controls.search.form.addEventListener("submit", (event) => { event.preventDefault(); filter(); });
  byId("reset").addEventListener("click", () => { for (const control of Object.values(controls)) control.value = ""; filter(); });
  document.querySelector(".head").addEventListener("click", (event) => {
    const button = event.target.closest("[data-sort]");
    if (button) sortBy(button.dataset.sort);
  });
  body.addEventListener("click", (event) => {
    const button = event.target.closest("[data-position]");
    const line = event.target.closest(".row");
    if (button) flip(Number(button.dataset.position));
    else if (line && !String(getSelection())) flip(Number(line.querySelector("[data-position]").dataset.position));
  });
  const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 12, PageUp: -12, Home: -Infinity, End: Infinity };
  body.addEventListener("keydown", (event) => {
    const button = event.target.closest("[data-position]");
    if (!button || !(event.key in steps)) return;
    event.preventDefault();
    const position = Math.max(0, Math.min(shown.length - 1, Number(button.dataset.position) + steps[event.key]));
    const top = topOf(position), room = scroller.clientHeight - rowHeight * 2;
    if (top < scroller.scrollTop || top > scroller.scrollTop + room) scroller.scrollTop = steps[event.key] > 0 ? top - room : top;
    draw();
    drawn.get(position)?.querySelector("button").focus({ preventScroll: true });
  });
  let frame = 0;
  scroller.addEventListener("scroll", () => { cancelAnimationFrame(frame); frame = requestAnimationFrame(draw); }, { passive: true });
  const again = () => { measure(); open.clear(); clear(); draw(); };
  addEventListener("resize", () => { const before = rowHeight; measure(); if (rowHeight !== before) again(); else draw(); });
  const opened = [];
  addEventListener("beforeprint", () => {
    printing = true;
    for (const details of document.querySelectorAll("details:not([open])")) { details.open = true; opened.push(details); }
    if (shown.length > PRINTED) byId("count").textContent += `; the first ${count.format(PRINTED)} are printed`;
    draw();
  });
  addEventListener("afterprint", () => {
    printing = false;
    for (const details of opened.splice(0)) details.open = false;
    filter();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-changeset]");
    if (!button) return;
    const index = names.changes.findIndex(([set, change]) => set === button.dataset.changeset && change === button.dataset.change);
    for (const control of Object.values(controls)) control.value = "";
    controls.change.value = index < 0 || names.changes.length > 400 ? `set:${button.dataset.changeset}` : String(index);
    filter();
    byId("operations").scrollIntoView();
    byId("operations").focus({ preventScroll: true });
  });
  byId("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  measure();
  filter();
  (window.requestIdleCallback ?? setTimeout)(searchable);
})();
