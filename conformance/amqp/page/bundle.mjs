// Makes the page's one script: node bundle.mjs FOLDER, from the folder that has the modules.
import { copyFile, mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const modules = here("../rhea/node_modules");
const { build } = createRequire(here("../rhea/package.json"))("esbuild");
const [, , folder] = process.argv;

await mkdir(folder, { recursive: true });
await build({
    entryPoints: [here("main.mjs")],
    outfile: `${folder}/bundle.js`,
    bundle: true,
    format: "iife",
    platform: "browser",
    // The packages of these names, not node's own.
    alias: {
        events: `${modules}/events/events.js`,
        util: `${modules}/util/util.js`,
        buffer: `${modules}/buffer/index.js`,
        os: here("none.mjs"),
        path: here("none.mjs"),
    },
    nodePaths: [modules],
    inject: [here("shim.mjs")],
    define: { global: "globalThis" },
    logLevel: "warning",
});
await copyFile(here("index.html"), `${folder}/index.html`);
