// Bundles of what an application imports of each client, all made alike.
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const how = {
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    write: false,
    logLevel: "error",
    alias: { "wharf-web": fileURLToPath(new URL("../../clients/web/dist/index.js", import.meta.url)) },
};
const IMPORTS = {
    wharf: 'export { connect } from "wharf-web"',
    stomp: 'export { Client } from "@stomp/stompjs"',
    centrifuge: 'export { Centrifuge } from "centrifuge"',
    mqtt: 'export { default } from "mqtt"',
};

/** Octets of each client: minified, and gzip of that. */
export async function sizes() {
    const all = {};
    for (const [name, contents] of Object.entries(IMPORTS)) {
        const { outputFiles } = await build({ ...how, stdin: { contents, resolveDir: here } });
        const minified = outputFiles[0].contents;
        all[name] = { minified: minified.length, gzip: gzipSync(minified, { level: 9 }).length };
    }
    return all;
}
