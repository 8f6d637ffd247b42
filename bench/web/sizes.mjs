// A table of the sizes of the clients.
import { readFile } from "node:fs/promises";
import { sizes } from "./bundle.mjs";

export const NAMES = { wharf: "wharf-web", stomp: "@stomp/stompjs", centrifuge: "centrifuge-js", mqtt: "mqtt.js" };
const PACKAGES = { stomp: "@stomp/stompjs", centrifuge: "centrifuge", mqtt: "mqtt" };

export const row = (cells) => console.log(`| ${cells.join(" | ")} |`);
export const count = (number) => number.toLocaleString("en-US");

/** The versions of the other clients. */
export async function versions() {
    const { dependencies } = JSON.parse(await readFile(new URL("package.json", import.meta.url)));
    return Object.fromEntries(Object.entries(PACKAGES).map(([name, at]) => [name, dependencies[at]]));
}

export async function printSizes() {
    const [made, known] = [await sizes(), await versions()];
    row(["client", "version", "minified", "gzip", "x wharf-web"]);
    row(["---", "---", "--:", "--:", "--:"]);
    for (const [name, { minified, gzip }] of Object.entries(made)) {
        const ratio = (gzip / made.wharf.gzip).toFixed(2);
        row([NAMES[name], known[name] ?? "this", count(minified), count(gzip), ratio]);
    }
}

if (process.argv[2] === "print") await printSizes();
