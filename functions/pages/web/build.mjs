// Bundles the pages into `dist/`: scripts and styles, the texts of each language, the worker, all of them compressed as well,
// and `bundle.json`, which says what there is. `--watch` goes on with each change; `--tests` bundles `test/` into `.tests/`.

import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import * as esbuild from "esbuild";

const TYPES = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  txt: "text/plain; charset=utf-8",
};

/** What the documentation promises: browsers of the last two and a half years. */
const TARGET = ["chrome123", "firefox121", "safari17.5"];
const common = {
  bundle: true,
  format: "esm",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
  minify: true,
  target: TARGET,
  write: false,
};
const pages = {
  ...common,
  entryPoints: { main: "src/main.tsx", app: "src/styles/app.css" },
  chunkNames: "[name]-[hash]",
  outdir: "dist",
  splitting: true,
};
const worker = { ...common, entryPoints: { sw: "src/worker/sw.ts" }, format: "iife", outdir: "dist" };

/** Writes what was bundled, and what is to be said of it. */
async function finish(results) {
  const files = new Map();
  for (const { outputFiles } of results)
    for (const file of outputFiles) files.set(relative(join(process.cwd(), "dist"), file.path), file.contents);
  for (const name of await readdir("messages"))
    files.set(`messages/${name}`, Buffer.from(JSON.stringify(JSON.parse(await readFile(`messages/${name}`, "utf8")))));
  const first = firstLoaded(results[0].metafile);
  const names = [...files.keys()].sort();
  const hash = createHash("sha256");
  for (const name of names) hash.update(name).update(files.get(name));
  files.set("licences.txt", Buffer.from(await licences(results.map((result) => result.metafile))));
  await rm("dist", { recursive: true, force: true });
  for (const [name, contents] of files) {
    const path = join("dist", name);
    await mkdir(dirname(path), { recursive: true });
    const brotli = { params: { [constants.BROTLI_PARAM_SIZE_HINT]: contents.length } };
    await Promise.all([
      writeFile(path, contents),
      writeFile(`${path}.br`, brotliCompressSync(contents, brotli)),
      writeFile(`${path}.gz`, gzipSync(contents, { level: 9 })),
    ]);
  }
  const said = [...files.keys()].sort().map((path) => ({
    path,
    content_type: TYPES[path.split(".").at(-1)],
    is_first: first.has(path),
  }));
  const folder = hash.digest("base64url").slice(0, 12);
  await writeFile("dist/bundle.json", JSON.stringify({ folder, files: said }, null, 1));
}

/** The scripts that the first one imports, and theirs: the browser need not find out one after the other. */
function firstLoaded(metafile) {
  const first = new Set();
  const add = (path) => {
    for (const { path: imported, kind } of metafile.outputs[path].imports)
      if (kind === "import-statement" && !first.has(relative("dist", imported))) {
        first.add(relative("dist", imported));
        add(imported);
      }
  };
  add("dist/main.js");
  return first;
}

/** The licences of all packages of which anything is bundled. */
async function licences(metafiles) {
  const inputs = metafiles.flatMap((metafile) => Object.keys(metafile.inputs));
  const packages = new Set(inputs.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []));
  const texts = [...packages].sort().map(async (name) => {
    const folder = join("node_modules", name);
    const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const file = (await readdir(folder)).find((one) => /^licen[cs]e/i.test(one));
    const text = file ? await readFile(join(folder, file), "utf8") : license;
    return `${name} ${version}\n\n${text.trim()}\n`;
  });
  return ["The pages contain:", ...(await Promise.all(texts))].join("\n\n");
}

async function tests() {
  const names = (await readdir("test")).filter((name) => name.endsWith(".test.ts"));
  await esbuild.build({
    ...common,
    entryPoints: names.map((name) => `test/${name}`),
    minify: false,
    outdir: ".tests",
    outExtension: { ".js": ".mjs" },
    platform: "node",
    target: "node20",
    write: true,
  });
}

async function watch() {
  const contexts = [];
  const results = [];
  const last = { name: "finish", setup: (build) => build.onEnd((result) => settled(build.initialOptions, result)) };
  const settled = async ({ entryPoints }, result) => {
    results["sw" in entryPoints ? 1 : 0] = result;
    if (results[0]?.outputFiles && results[1]?.outputFiles && !result.errors.length) await finish(results);
  };
  for (const options of [pages, worker]) contexts.push(await esbuild.context({ ...options, plugins: [last] }));
  await Promise.all(contexts.map((context) => context.watch()));
}

if (process.argv.includes("--tests")) await tests();
else if (process.argv.includes("--watch")) await watch();
else await finish(await Promise.all([pages, worker].map((options) => esbuild.build(options))));
