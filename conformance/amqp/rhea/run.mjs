// Runs cases in a world, one after the other, and says how each went.
import { cases } from "./cases.mjs";
import { Skip } from "./check.mjs";
import { within } from "./peer.mjs";

const CASE_MS = 60_000;

export async function run(World, given, wanted, say) {
    const names = wanted === "all" ? Object.keys(cases) : [wanted];
    let failed = 0;
    for (const name of names) {
        const world = new World(given, name);
        try {
            if (!cases[name]) throw new Error("no such case");
            await within(cases[name](world), "the case", CASE_MS);
            say(`ok ${name}`);
        } catch (error) {
            if (error instanceof Skip) say(`skip ${name} ${error.message}`);
            else {
                failed += 1;
                say(`FAIL ${name} ${String(error.message ?? error).replace(/\s+/g, " ").slice(0, 600)}`);
            }
        } finally {
            await world.end();
        }
    }
    return failed;
}
