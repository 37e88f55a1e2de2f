// Draws the bars of the first page from the table beneath them, in the colours of the day or of the night.

/* global Chart */

const canvas = document.getElementById("grades-chart");
const table = document.getElementById(canvas.dataset.table);
const headings = [...table.querySelectorAll("thead th[data-colour]")];
const rows = [...table.tBodies[0].rows];
const number = (cell) => Number(cell.dataset.value);

/** A colour as the page shows it now: light-dark() and var() worked out. */
function colour(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function dressed() {
  const quiet = colour("--ink-quiet");
  const font = { family: getComputedStyle(document.body).fontFamily, size: 12 };
  const line = colour("--line");
  return { quiet, font, line };
}

function settings() {
  const { quiet, font, line } = dressed();
  return {
    type: "bar",
    data: {
      labels: rows.map((row) => row.cells[0].textContent),
      datasets: headings.map((heading) => ({
        label: heading.textContent,
        data: rows.map((row) => number(row.cells[heading.cellIndex])),
        backgroundColor: colour(heading.dataset.colour),
        maxBarThickness: 36,
        borderRadius: 3,
      })),
    },
    options: {
      animation: false,
      maintainAspectRatio: false,
      interaction: { mode: "index" },
      scales: {
        x: { stacked: true, grid: { display: false }, ticks: { color: quiet, font }, border: { color: line } },
        y: { stacked: true, beginAtZero: true, grid: { color: line }, ticks: { color: quiet, font, precision: 0 }, border: { display: false } },
      },
      plugins: { legend: { align: "end", labels: { color: quiet, font, boxWidth: 12, boxHeight: 12 } } },
      // A bar leads where the row of its grade leads.
      onClick: (_event, [bar]) => bar && rows[bar.index].querySelector("a").click(),
      onHover: ({ native }, bars) => (native.target.style.cursor = bars.length ? "pointer" : "default"),
    },
  };
}

let chart = new Chart(canvas, settings());

function drawAnew() {
  chart.destroy();
  chart = new Chart(canvas, settings());
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAnew);
new MutationObserver(drawAnew).observe(document.documentElement, { attributeFilter: ["data-theme"] });
document.fonts.ready.then(drawAnew);
