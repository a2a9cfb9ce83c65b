// The page is whole without this: it filters, folds, and changes the theme.
"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, from) => Array.from((from || document).querySelectorAll(selector));

  // The theme: as the system, or one of the two.
  const theme = document.getElementById("theme");
  const themes = ["", "dark", "light"];
  const said = { "": "as the system", dark: "dark", light: "light" };
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const next = themes[(themes.indexOf(root.dataset.theme || "") + 1) % themes.length];
    if (next) root.dataset.theme = next; else delete root.dataset.theme;
    theme.textContent = "Theme: " + said[next];
  });

  // Which nodes the picture shows.
  const views = all("[data-view]").filter((b) => b.tagName === "BUTTON");
  all(".views").forEach((v) => { v.hidden = false; });
  views.forEach((b) => b.addEventListener("click", () => {
    document.getElementById("picture").dataset.view = b.dataset.view;
    views.forEach((o) => o.setAttribute("aria-pressed", String(o === b)));
  }));

  // Printing opens what is folded.
  let opened = [];
  const open = () => { opened = all("details:not([open])"); opened.forEach((d) => { d.open = true; }); };
  addEventListener("beforeprint", open);
  addEventListener("afterprint", () => opened.forEach((d) => { d.open = false; }));

  // Sections show their first items until asked for more.
  const most = { TR: 100, LI: 30, DIV: 60 };
  const grouped = (n) => n.toLocaleString("en");
  const sections = all("main section").map((section) => {
    const items = all("[data-k]", section).filter((e) => e.namespaceURI === root.namespaceURI);
    if (!items.length) return null;
    const s = { section, items, whole: false, count: section.querySelector(".n"), total: items.length, drawn: all("g[data-k]", section) };
    s.texts = items.map((e) => (e.textContent + " " + all("[aria-label]", e).map((l) => l.getAttribute("aria-label")).join(" ")).toLowerCase());
    s.drawnTexts = s.drawn.map((e) => e.textContent.toLowerCase());
    s.total += all(".order:not(.slim) g[data-k]", section).length;
    s.rest = document.createElement("button");
    s.rest.type = "button";
    s.rest.className = "rest";
    s.rest.addEventListener("click", () => { s.whole = true; show(); });
    section.appendChild(s.rest);
    return s;
  }).filter(Boolean);

  const form = document.querySelector(".filter");
  const box = document.getElementById("q");
  const found = document.getElementById("found");
  const chips = all("[data-kind]");

  function show() {
    const words = box ? box.value.toLowerCase().split(/\s+/).filter(Boolean) : [];
    const kinds = chips.filter((c) => c.getAttribute("aria-pressed") === "true").map((c) => c.dataset.kind);
    const fits = (text, element) => words.every((w) => text.includes(w)) &&
      (!kinds.length || element.dataset.k.split(" ").some((k) => kinds.includes(k)));
    const active = words.length > 0 || kinds.length > 0;
    const told = [];
    sections.forEach((s) => {
      const limit = s.whole ? Infinity : most[s.items[0].tagName];
      let n = 0;
      s.items.forEach((e, i) => {
        const hit = fits(s.texts[i], e);
        if (hit) n++;
        e.hidden = !hit;
        e.classList.toggle("over", hit && n > limit);
      });
      const over = n - limit;
      s.drawn.forEach((e, i) => {
        const hit = fits(s.drawnTexts[i], e);
        if (hit && !e.closest(".slim")) n++;
        e.classList.toggle("off", !hit);
      });
      s.rest.hidden = !(over > 0);
      s.rest.textContent = "Show all " + grouped(over + limit);
      s.count.textContent = active ? grouped(n) + " of " + grouped(s.total) : grouped(s.total);
      s.section.hidden = active && n === 0;
      if (active && n > 0) told.push(grouped(n) + " in “" + s.section.querySelector("h2").firstChild.textContent.trim() + "”");
    });
    if (found) found.textContent = !active ? "" : told.length ? "Found " + told.join(", ") + "." : "Nothing matches.";
  }

  if (form) {
    form.hidden = false;
    form.addEventListener("submit", (e) => e.preventDefault());
    box.addEventListener("input", show);
    chips.forEach((c) => c.addEventListener("click", () => {
      c.setAttribute("aria-pressed", String(c.getAttribute("aria-pressed") !== "true"));
      show();
    }));
    const clear = () => { box.value = ""; chips.forEach((c) => c.setAttribute("aria-pressed", "false")); show(); };
    document.getElementById("clear").addEventListener("click", clear);
    const unfold = document.getElementById("unfold");
    unfold.hidden = !document.querySelector("details");
    unfold.addEventListener("click", () => {
      const on = unfold.getAttribute("aria-pressed") !== "true";
      unfold.setAttribute("aria-pressed", String(on));
      unfold.textContent = on ? "Close all details" : "Open all details";
      all("details").forEach((d) => { d.open = on; });
    });
    addEventListener("keydown", (e) => {
      if (e.key === "/" && e.target !== box && !e.ctrlKey && !e.metaKey && !e.altKey) { e.preventDefault(); box.focus(); }
      if (e.key === "Escape" && e.target === box) clear();
    });
  }
  show();
})();
