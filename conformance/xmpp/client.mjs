// One client, all cases or those named: `client.mjs CLIENT --url URL --proxy URL --control URL --host H --password P [CASE]...`
import { parseArgs } from "node:util";
import { cases } from "./cases.mjs";

const CASE_MAX_MS = 90_000;
const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
        url: { type: "string" },
        proxy: { type: "string" },
        control: { type: "string" },
        host: { type: "string", default: "localhost" },
        password: { type: "string" },
        messages: { type: "string", default: "300" },
    },
});
const [name, ...wanted] = positionals;
const client = await import(`./clients/${name}.mjs`);
const given = { ...values, messages: Number(values.messages) };
const scheme = new URL(given.url).protocol.slice(0, -1);
// What a library throws into nowhere when its socket breaks is not the end of the case.
for (const what of ["unhandledRejection", "uncaughtException"]) process.on(what, (error) => console.error(error));

let failed = 0;
for (const [label, body] of Object.entries(cases)) {
    if (wanted.length > 0 && !wanted.includes(label)) continue;
    const sessions = [];
    const world = {
        given,
        run: Math.random().toString(36).slice(2, 8),
        mechanism: client.mechanism[scheme],
        async connect(user, resource, password = given.password) {
            const url = ["cut", "kill"].includes(label) ? given.proxy : given.url;
            const session = await client.connect({ url, host: given.host, user, password, resource });
            sessions.push(session);
            return session;
        },
        async control(what) {
            const answer = await fetch(`${given.control}/${what}`, { method: "POST" });
            if (!answer.ok) throw new Error(`the harness: ${await answer.text()}`);
        },
    };
    const late = new Promise((_, reject) => setTimeout(() => reject(new Error("timed out: the case")), CASE_MAX_MS).unref());
    try {
        await Promise.race([body(world), late]);
        console.log(`ok ${label}`);
    } catch (error) {
        failed += 1;
        console.log(`FAIL ${label} ${String(error.message ?? error).replaceAll(/\s+/g, " ").slice(0, 600)}`);
    }
    for (const session of sessions) await Promise.race([Promise.resolve(session.close()).catch(() => {}), new Promise((done) => setTimeout(done, 1000))]);
}
process.exit(failed ? 1 : 0);
