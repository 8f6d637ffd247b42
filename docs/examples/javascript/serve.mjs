// Serves the pages of this folder. A page asks /login how it gets to the broker: with a token of an
// hour, signed here (JWT). The broker has the public key, and no page knows a password.
import { createPrivateKey, sign } from "node:crypto";
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { build } from "esbuild";

const { WHARF_URL = "ws://127.0.0.1:8080/ws", PORT = "8000" } = process.env;
const TYPES = { html: "text/html", js: "text/javascript" };
const key = createPrivateKey(await readFile("keys/private.pem"));

// The client of clients/web as one file.
const { outputFiles } = await build({
    entryPoints: ["../../../clients/web/src/index.ts"],
    bundle: true,
    format: "esm",
    write: false,
});

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

// Where people log in to a site of yours, `sub` is who has.
function login() {
    const exp = Math.floor(Date.now() / 1000) + 3600;
    const head = part({ alg: "EdDSA", kid: "pages" });
    const signed = `${head}.${part({ iss: "pages", sub: "visitor", exp })}`;
    const signature = sign(null, Buffer.from(signed), key).toString("base64url");
    return JSON.stringify({ url: WHARF_URL, token: `wharf.bearer.${signed}.${signature}` });
}

const server = createServer(async (request, response) => {
    const name = new URL(request.url, "http://pages").pathname.slice(1);
    try {
        if (name === "login") return response.end(login());
        const [, end] = /^\w[\w-]*\.(html|js)$/.exec(name);
        response.setHeader("content-type", `${TYPES[end]}; charset=utf-8`);
        response.end(name === "wharf-web.js" ? outputFiles[0].text : await readFile(name));
    } catch {
        response.writeHead(404).end();
    }
});
server.listen(Number(PORT), "127.0.0.1", () => console.log("serving"));
