// Serves the pages of this folder. A page asks /login how it gets to the broker: with a token of an
// hour, for which this server asks by its own login. So no page knows a password.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { build } from "esbuild";

const { WHARF_URL = "ws://127.0.0.1:8080/ws", PAGES_PASSWORD, PORT = "8000" } = process.env;
const TYPES = { html: "text/html", js: "text/javascript" };

// The client of clients/web as one file.
const { outputFiles } = await build({
    entryPoints: ["../../../clients/web/src/index.ts"],
    bundle: true,
    format: "esm",
    write: false,
});

async function login() {
    const answer = await fetch(new URL("/api/v1/tokens", WHARF_URL.replace("ws", "http")), {
        method: "POST",
        headers: {
            authorization: `Basic ${btoa(`pages:${PAGES_PASSWORD}`)}`,
            "content-type": "application/json",
        },
        body: JSON.stringify({ user: "visitor", valid_s: 3600 }),
    });
    if (!answer.ok) throw new Error(`no token: ${answer.status} ${await answer.text()}`);
    const { secret } = await answer.json();
    return JSON.stringify({ url: WHARF_URL, token: `wharf.bearer.${secret}` });
}

const server = createServer(async (request, response) => {
    const name = new URL(request.url, "http://pages").pathname.slice(1);
    try {
        if (name === "login") return response.end(await login());
        const [, end] = /^\w[\w-]*\.(html|js)$/.exec(name);
        response.setHeader("content-type", `${TYPES[end]}; charset=utf-8`);
        response.end(name === "wharf-web.js" ? outputFiles[0].text : await readFile(name));
    } catch (error) {
        console.error(name, String(error));
        response.writeHead(name === "login" ? 503 : 404).end();
    }
});
server.listen(Number(PORT), "127.0.0.1", () => console.log("serving"));
