// Makes a search box of each <select data-lookup-url> (people, courses: too many for a list of options).
// The server answers [[key, label], …].

/* global TomSelect */

const SHOWN = 20;
const FIELD_STATE = ["aria-invalid", "aria-describedby"];

/** The reader and the cursor meet Tom Select's own box now, not the <select> behind it. */
function handOver(select, box) {
  for (const name of FIELD_STATE.filter((name) => select.hasAttribute(name))) {
    box.setAttribute(name, select.getAttribute(name));
    select.removeAttribute(name);
  }
  select.setAttribute("aria-hidden", "true");
}

function enhance(select) {
  const { control_input: box } = new TomSelect(select, {
    plugins: ["remove_button"],
    placeholder: select.dataset.placeholder,
    hidePlaceholder: true,
    hideSelected: true,
    preload: "focus",
    searchField: [], // the server has searched: whatever it answers, matches
    refreshThrottle: 0,
    loadThrottle: 200,
    // What was found for other letters must not be chosen by a quick Enter.
    onType() {
      this.clearOptions();
      this.refreshOptions();
    },
    async load(query, show) {
      const url = new URL(select.dataset.lookupUrl, location);
      for (const [name, value] of Object.entries({ query, offset: 0, limit: SHOWN })) url.searchParams.set(name, value);
      const response = await fetch(url);
      const found = response.ok ? await response.json() : [];
      const isLate = query !== this.lastValue;
      show(isLate ? [] : found.map(([value, text]) => ({ value: String(value), text })));
    },
  });
  handOver(select, box);
}

const enhanceAll = (within) => within.querySelectorAll("select[data-lookup-url]").forEach(enhance);

enhanceAll(document);
document.addEventListener("row-added", ({ target }) => enhanceAll(target));
