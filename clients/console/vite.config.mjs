// Builds the console into the folder from which the binary takes it, under names that stay.
//
// WHARF_CONSOLE_OUT is another folder to build into. `npx vite` serves the sources with a broker at
// WHARF_URL (http://127.0.0.1:8080) behind them.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { defineConfig } from "vite";

/** Of the whole console. */
const GZIP_MAX_BYTES = 100_000;

const ASSETS = fileURLToPath(new URL("../../crates/server/assets/console", import.meta.url));
const BUNDLED = ["preact", "@preact/signals", "@preact/signals-core", "uplot"];

/** What the licences of the bundled packages ask to be kept, at the head of the script. */
function licences() {
    const notices = BUNDLED.map((name) => {
        const folder = new URL(`node_modules/${name}/`, import.meta.url);
        const { version } = JSON.parse(readFileSync(new URL("package.json", folder), "utf8"));
        const file = ["LICENSE", "LICENSE.md"].find((file) => existsSync(new URL(file, folder)));
        return [`${name} ${version}`, readFileSync(new URL(file, folder), "utf8").trim()];
    });
    const texts = new Map();
    for (const [name, text] of notices) texts.set(text, [...(texts.get(text) ?? []), name]);
    const all = [...texts].map(([text, names]) => `${names.join(", ")}:\n\n${text}`);
    const head = "Holds, beside the console of Wharf (Apache-2.0 OR MIT):";
    return `/*!\n${[head, ...all].join("\n\n")}\n*/\n`;
}

/** Files end with a line feed and hold no tab, here as in the rest of the repository. */
const withLineFeed = (text) => `${text.trimEnd()}\n`;

/** The last word on every file, and the gate. */
function finish() {
    return {
        name: "wharf-finish",
        enforce: "post",
        generateBundle: {
            order: "post",
            handler(_, bundle) {
                let bytes = 0;
                for (const file of Object.values(bundle)) {
                    const isScript = file.type === "chunk";
                    const made = isScript ? licences() + file.code : String(file.source);
                    const text = withLineFeed(made);
                    // To change them could change what the script says.
                    if (/\t| $/m.test(text))
                        this.error(`${file.fileName}: a tab, or a space at an end`);
                    if (isScript) file.code = text;
                    else file.source = text;
                    const zipped = gzipSync(text, { level: 9 }).length;
                    bytes += zipped;
                    this.info(`${file.fileName}: ${text.length} characters, ${zipped} bytes gzip`);
                }
                this.info(`size: ${bytes} bytes gzip of at most ${GZIP_MAX_BYTES}`);
                if (bytes > GZIP_MAX_BYTES) this.error("size: the console is too large");
            },
        },
    };
}

const broker = process.env.WHARF_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
    base: "/console/",
    plugins: [finish()],
    server: {
        proxy: {
            "/api": broker,
            "/login": broker,
            "/ws": { target: broker, ws: true },
        },
    },
    build: {
        outDir: process.env.WHARF_CONSOLE_OUT ?? ASSETS,
        emptyOutDir: true,
        target: ["chrome123", "firefox128", "safari17.5"],
        modulePreload: false,
        cssCodeSplit: false,
        assetsInlineLimit: 0,
        reportCompressedSize: false,
        rolldownOptions: {
            output: {
                codeSplitting: false,
                entryFileNames: "console.js",
                assetFileNames: "console[extname]",
            },
        },
    },
});
