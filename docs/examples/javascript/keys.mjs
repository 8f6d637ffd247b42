// Makes the key that serve.mjs signs its tokens with, and its public half for the broker: a JWK Set,
// keys/public.json. Does nothing if they are there.
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";

const folder = new URL("keys/", import.meta.url);
const at = (name) => new URL(name, folder);

if (!existsSync(at("public.json"))) {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const jwk = { ...publicKey.export({ format: "jwk" }), kid: "pages", alg: "EdDSA", use: "sig" };
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const pem = privateKey.export({ format: "pem", type: "pkcs8" });
    writeFileSync(at("private.pem"), pem, { mode: 0o600 });
    writeFileSync(at("public.json"), JSON.stringify({ keys: [jwk] }));
}
