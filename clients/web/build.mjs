// Builds dist: a readable bundle for bundlers, a small one for pages, types. Fails if the small one
// is too large.
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const SIZE_MAX_BYTES = 6 * 1024;

process.chdir(fileURLToPath(new URL(".", import.meta.url)));
rmSync("dist", { recursive: true, force: true });
const common = {
    entryPoints: ["src/index.ts"],
    bundle: true,
    format: "esm",
    target: "es2022",
    logLevel: "warning",
};
await build({ ...common, outfile: "dist/index.js" });
await build({ ...common, outfile: "dist/index.min.js", minify: true });
// For the tests of frames and pauses alone.
await build({ ...common, entryPoints: ["src/frames.ts", "src/turns.ts"], outdir: "dist/parts" });
const tsc = ["node_modules/typescript/bin/tsc", "-p", "."];
execFileSync(process.execPath, tsc, { stdio: "inherit" });

const minified = readFileSync("dist/index.min.js");
const size = gzipSync(minified, { level: 9 }).length;
const figures = `${minified.length} bytes minified, ${size} bytes gzip`;
console.log(`size: ${figures} (limit ${SIZE_MAX_BYTES})`);
if (size > SIZE_MAX_BYTES) {
    console.error("size: too large");
    process.exit(1);
}
