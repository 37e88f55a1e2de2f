// Makes a search box of each <select data-lookup-url> (people, courses: too many for a list of options).
// The server answers [[key, label], …], a page at a time.

/* global TomSelect */

const PAGE = 20;

function enhance(select) {
  if (select.tomselect) return;
  const url = select.dataset.lookupUrl;
  new TomSelect(select, {
    valueField: "0",
    labelField: "1",
    searchField: [], // the server has searched; whatever it answers, matches
    plugins: ["remove_button"],
    placeholder: select.dataset.placeholder,
    hidePlaceholder: true,
    maxOptions: null,
    preload: "focus",
    render: {
      // Names are text, never HTML.
      option: (item, escape) => `<div>${escape(item[1] ?? item.text)}</div>`,
      item: (item, escape) => `<div>${escape(item[1] ?? item.text)}</div>`,
    },
    async load(query, show) {
      const address = new URL(url, location);
      for (const [key, value] of Object.entries({ query, offset: 0, limit: PAGE })) address.searchParams.set(key, value);
      const response = await fetch(address, { headers: { Accept: "application/json" } });
      this.clearOptions((option) => this.items.includes(String(option[0])));
      show(response.ok ? await response.json() : []);
    },
  });
}

const enhanceAll = (within) => within.querySelectorAll("select[data-lookup-url]").forEach(enhance);

enhanceAll(document);
document.addEventListener("row-added", ({ target }) => enhanceAll(target));
