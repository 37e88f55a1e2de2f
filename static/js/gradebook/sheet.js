// The grid on the page: which cell is where, what the server last said of it, and how it looks.

/** What the server says of a cell: [text, state, comment, who, when]. */
const NOTHING = ["", "", "", "", ""];

const isZero = (text) => /^0+([.,]0+)?$/.test(text);

/** Put a figure into its cell; where it leads to its explanation, also nothing can be asked about. */
function put(cell, figure) {
  const [link] = cell.children;
  if (link) link.textContent = figure || "–";
  else cell.textContent = figure;
}

export class Sheet {
  #known;
  #places = new Map();

  constructor(table, known, excused) {
    this.table = table;
    this.excused = excused;
    this.#known = new Map(Object.entries(known));
    this.heads = [...table.querySelectorAll("thead th:not(.corner, .figure)")];
    this.rows = [...table.querySelectorAll("tr[data-pupil]")].map((row) => [...row.querySelectorAll("input")]);
    this.byName = new Map();
    for (const [row, inputs] of this.rows.entries()) {
      for (const [column, input] of inputs.entries()) {
        this.byName.set(input.name, input);
        this.#places.set(input, [row, column]);
        input.tabIndex = -1;
      }
    }
    if (this.rows[0]?.[0]) this.rows[0][0].tabIndex = 0;
    // The figures are reached by the arrows, beyond the last cell; by Tab they would be a hundred stops.
    for (const link of table.querySelectorAll("a")) link.tabIndex = -1;
  }

  // ---- Where ----

  at(row, column) {
    return this.rows[row]?.[column];
  }

  placeOf(input) {
    return this.#places.get(input);
  }

  get size() {
    return [this.rows.length, this.rows[0]?.length ?? 0];
  }

  pupilOf(input) {
    return Number(input.closest("tr").dataset.pupil);
  }

  /** The subject and the month or day of a column. */
  target(column) {
    const [, , subject, period] = this.rows[0][column].name.split(".");
    return [Number(subject), period];
  }

  nameOf(row) {
    return this.rows[row][0].closest("tr").querySelector("th").firstChild.textContent.trim();
  }

  headOf(column) {
    return this.heads[column].textContent.trim().replace(/\s+/g, " ");
  }

  /** Whose cell it is and of which column, in words. */
  whose(input) {
    const [row, column] = this.placeOf(input);
    return `${this.nameOf(row)} · ${this.headOf(column)}`;
  }

  // ---- What ----

  known(name) {
    const [text, seen, comment, who, when] = this.#known.get(name) ?? NOTHING;
    return { text, seen, comment, who, when };
  }

  /** Take in what the server says a cell holds. */
  learn(name, now) {
    this.#known.set(name, now);
  }

  /** Take in what the server says of the whole sheet; cells that somebody has in hand keep what stands in them. */
  renew(cells, inHand) {
    this.#known = new Map(Object.entries(cells));
    for (const [name, input] of this.byName) if (!inHand(name)) this.show(input, this.known(name).text);
  }

  /** Show what the marks come to, as the server reckons it. */
  reckon({ pupils, columns, mean }) {
    for (const row of this.table.querySelectorAll("tr[data-pupil]")) {
      const figures = pupils[row.dataset.pupil] ?? ["", "", ""];
      for (const [nth, cell] of row.querySelectorAll(".figure").entries()) put(cell, figures[nth]);
    }
    for (const cell of this.table.querySelectorAll("tfoot [data-column]")) {
      const [average, missing] = columns[cell.dataset.column] ?? ["", ""];
      cell.querySelector("span").textContent = average;
      cell.querySelector("b").textContent = missing;
      cell.querySelector("small").hidden = !missing;
    }
    put(this.table.querySelector("[data-mean]"), mean);
  }

  // ---- How it looks ----

  show(input, text) {
    if (input.value !== text) input.value = text;
    this.look(input);
  }

  look(input, comment = this.known(input.name).comment) {
    const cell = input.parentElement;
    cell.classList.toggle("is-zero", isZero(input.value.trim()));
    cell.classList.toggle("is-excused", input.value.trim() === this.excused);
    cell.classList.toggle("has-comment", Boolean(comment));
    cell.title = comment;
  }

  /** Mark a cell as waiting, wrong or in clash; with a reason, it is told to a screen reader as well. */
  mark(input, kind = "", reason = "") {
    const cell = input.parentElement;
    for (const each of ["waiting", "wrong", "clash"]) cell.classList.toggle(`is-${each}`, each === kind);
    cell.querySelector(".reason")?.remove();
    if (reason) {
      const told = Object.assign(document.createElement("small"), { className: "reason", id: `reason.${input.name}`, textContent: reason });
      cell.append(told);
      input.setAttribute("aria-describedby", told.id);
    } else input.removeAttribute("aria-describedby");
    if (kind === "wrong") input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }

  focus(row, column) {
    const input = this.at(row, column);
    input?.focus();
    return input;
  }
}
