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
  // Fields of the form that narrow the answers: of a class that is chosen, only its pupils.
  const others = (select.dataset.lookupWith?.split(" ") ?? []).map((name) => select.form.elements[name]).filter(Boolean);
  const made = new TomSelect(select, {
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
      for (const { name, value } of others) if (value) url.searchParams.set(name, value);
      const response = await fetch(url);
      const found = response.ok ? await response.json() : [];
      const isLate = query !== this.lastValue;
      show(isLate ? [] : found.map(([value, text]) => ({ value: String(value), text })));
      // What was typed at once with the first click may have been put off for what is looked up without a word.
      if (isLate && !this.loadedSearches[this.lastValue]) this.load(this.lastValue);
    },
  });
  for (const other of others) {
    other.addEventListener("change", () => {
      made.clearOptions();
      made.load("");
    });
  }
  handOver(select, made.control_input);
}

const enhanceAll = (within) => within.querySelectorAll("select[data-lookup-url]").forEach(enhance);

enhanceAll(document);
document.addEventListener("row-added", ({ target }) => enhanceAll(target));
