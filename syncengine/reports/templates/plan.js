  // Events.
  for (const control of document.querySelectorAll("button[hidden]")) {
    const number = control.dataset.finding;
    control.hidden = number !== undefined && !findings[number]?.shown;
  }
  const toTable = () => {
    filter();
    byId("operations").scrollIntoView();
    byId("operations").focus({ preventScroll: true });
  };
  let typing = 0;
  controls.q.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(filter, rows.length > 20000 ? 150 : 0); });
  for (const [name, control] of Object.entries(controls)) if (name !== "q") control.addEventListener("change", filter);
  byId("reset").addEventListener("click", () => { forget(); filter(); });
  stop.addEventListener("click", () => { chosen = null; filter(); byId("operations").focus({ preventScroll: true }); });
  head.addEventListener("click", (event) => {
    const button = event.target.closest("[data-sort]");
    if (button) sortBy(button.dataset.sort);
  });
  table.addEventListener("click", (event) => {
    const button = event.target.closest("[data-position]"), made = event.target.closest(".item .row");
    if (button) flip(Number(button.dataset.position));
    else if (made && !String(getSelection())) flip(Number(made.querySelector("[data-position]").dataset.position));
  });
  const steps = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1, PageDown: 12, PageUp: -12, Home: -Infinity, End: Infinity };
  const isTyping = (target) => ["INPUT", "SELECT", "TEXTAREA"].includes(target.tagName) && target.type !== "checkbox";
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === "/") {
      event.preventDefault();
      controls.q.focus();
      controls.q.select();
      return;
    }
    const button = table.contains(event.target) ? event.target.closest("[data-position]") : null;
    const letter = event.key === "j" || event.key === "k";
    if (!(event.key in steps) || !(button || letter) || !shown.length) return;
    event.preventDefault();
    const step = steps[event.key];
    const from = button ? Number(button.dataset.position) + step : positionAt(scroller.scrollTop);
    focusOn(Math.max(0, Math.min(shown.length - 1, from)));
  });
  controls.q.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" && event.key !== "Enter") return;
    event.preventDefault();
    clearTimeout(typing);
    filter();
    if (shown.length) focusOn(0);
  });
  let frame = 0;
  scroller.addEventListener("scroll", () => { cancelAnimationFrame(frame); frame = requestAnimationFrame(draw); }, { passive: true });
  addEventListener("resize", () => {
    const before = rowHeight;
    measure();
    if (rowHeight !== before) { open.clear(); clear(); }
    draw();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-finding], [data-change], [data-lead]");
    if (!button) return;
    forget();
    if (button.dataset.finding !== undefined) chosen = Number(button.dataset.finding);
    else if (button.dataset.lead !== undefined) { controls.q.value = button.dataset.lead; choose(controls.kind, "financials"); }
    else choose(controls.change, JSON.stringify(names.changes.length > MANY ? [button.dataset.changeset] : [button.dataset.changeset, button.dataset.change]));
    toTable();
  });
  byId("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  addEventListener("hashchange", () => { 
    const state = location.hash.slice(1);
    if (state !== fragment() && (!state || state.includes("="))) restore();
  });
  measure();
  fillControls();
  if (restore()) byId("operations").scrollIntoView();
  (window.requestIdleCallback ?? setTimeout)(searchable);
