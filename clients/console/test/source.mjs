// Parts of the source that need no browser, for node.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { transformWithOxc } from "vite";

/** A file below `src` that imports nothing but types. */
export async function source(name) {
    const file = new URL(`../src/${name}`, import.meta.url);
    const { code } = await transformWithOxc(await readFile(file, "utf8"), fileURLToPath(file));
    return import(`data:text/javascript;base64,${Buffer.from(code).toString("base64")}`);
}
