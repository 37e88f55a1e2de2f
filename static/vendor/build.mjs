// Copies what package.json names from node_modules to static/vendor/<name>-<version>/, with the licence texts (and
// axe-core, which only tests need, to tests/e2e/vendor/),
// builds the icon sprite and writes MANIFEST.json. To renew:
//
//     npm ci --ignore-scripts --omit=optional && npm run vendor
//
// The icons are those of icons.txt, one name from tabler.io/icons in a line.

import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compile } from "sass";

const vendor = dirname(fileURLToPath(import.meta.url));
const modules = join(vendor, "../../node_modules");
const read = (...parts) => readFileSync(join(...parts), "utf8");

// @tabler/core names its licence but ships no text of it.
const MIT = (holder) => `The MIT License (MIT)

Copyright (c) ${holder}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`;

/** Tabler's parts as one compressed file; the comments of its Sass functions are no use to a browser. */
function tablerCss() {
  const { css } = compile(join(vendor, "tabler.scss"), { style: "compressed", loadPaths: [modules], quietDeps: true });
  return css.replace(/^\uFEFF/, "");
}

/** One SVG with a <symbol> for each icon; school.css has the pen they are drawn with. */
function iconSprite() {
  const names = read(vendor, "icons.txt").trim().split("\n");
  const symbols = names.map((name) => {
    const drawing = read(modules, "@tabler/icons/icons/outline", `${name}.svg`)
      .replace(/^[^]*?<svg[^>]*>/, "")
      .replace("</svg>", "")
      .replace(/\s*\n\s*/g, "");
    return `<symbol id="${name}" viewBox="0 0 24 24">${drawing}</symbol>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`;
}

const assets = [
  { package: "@tabler/core", as: "tabler", make: { "tabler.css": tablerCss }, licence: MIT("2018-2026 The Tabler Authors") },
  { package: "@tabler/icons", as: "tabler-icons", make: { "icons.svg": iconSprite } },
  { package: "chart.js", as: "chart", copy: ["dist/chart.umd.min.js"] },
  { package: "tom-select", as: "tom-select", copy: ["dist/js/tom-select.popular.min.js"] },
  {
    package: "@fontsource/noto-sans-khmer",
    as: "noto-sans-khmer",
    copy: ["files/noto-sans-khmer-khmer-400-normal.woff2", "files/noto-sans-khmer-khmer-600-normal.woff2"],
  },
];

for (const entry of readdirSync(vendor, { withFileTypes: true })) {
  if (entry.isDirectory()) rmSync(join(vendor, entry.name), { recursive: true });
}

const manifest = assets.map((asset) => {
  const source = join(modules, asset.package);
  const { version, license } = JSON.parse(read(source, "package.json"));
  const folder = `${asset.as}-${version}`;
  mkdirSync(join(vendor, folder));

  for (const path of asset.copy ?? []) cpSync(join(source, path), join(vendor, folder, path.split("/").at(-1)));
  for (const [name, make] of Object.entries(asset.make ?? {})) writeFileSync(join(vendor, folder, name), make());
  const licence = ["LICENSE", "LICENSE.md"].map((name) => join(source, name)).find((path) => existsSync(path));
  if (licence) cpSync(licence, join(vendor, folder, "LICENSE"));
  else writeFileSync(join(vendor, folder, "LICENSE"), asset.licence);

  const files = readdirSync(join(vendor, folder)).sort().map((name) => {
    const sha256 = createHash("sha256").update(readFileSync(join(vendor, folder, name))).digest("hex");
    return { path: `${folder}/${name}`, sha256 };
  });
  return { name: asset.as, package: asset.package, version, licence: license, files };
});

// For the browser tests only; it is never served.
const axe = join(vendor, "../../tests/e2e/vendor");
rmSync(axe, { recursive: true, force: true });
mkdirSync(axe);
for (const name of ["axe.min.js", "LICENSE"]) cpSync(join(modules, "axe-core", name), join(axe, name));

writeFileSync(join(vendor, "MANIFEST.json"), JSON.stringify(manifest, null, 2) + "\n");
