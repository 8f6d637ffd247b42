// The client of Wharf for browsers and node, over MBWS.
import { Client } from "./client.js";
import { WharfError } from "./errors.js";
import { IndexedStore } from "./indexed.js";
import type { Options } from "./options.js";
import { MemoryStore, type Store } from "./store.js";

export { Client, WharfError };
export type { Delivery } from "./delivery.js";
export type { ErrorCode } from "./errors.js";
export type { Content, Property, Wire } from "./frames.js";
export type { Deliveries } from "./inbox.js";
export type { Entry, Saved } from "./ledger.js";
export type { Socket, SocketClass } from "./link.js";
export type { Options } from "./options.js";
export type { Store } from "./store.js";
export type * from "./types.js";

/**
 * A client of the broker at this URL, such as `wss://example.com/ws`. Resolves when it can be used, which with an
 * outbox is before the broker is reached: what is sent meanwhile waits. Listen to `state` to learn how it fares.
 */
export async function connect(url: string | URL, options: Options = {}): Promise<Client> {
    const { persist } = options;
    if (typeof persist === "object") return new Client(url, persist, undefined, options).begin();
    if (!persist) return new Client(url, new MemoryStore(), undefined, options).begin();
    const name = `wharf:${persist === true ? "default" : persist}`;
    let store: Store;
    try {
        store = await IndexedStore.open(name);
    } catch (error) {
        throw new WharfError("storage", `no IndexedDB: ${String(error)}`);
    }
    return new Client(url, store, name, options).begin();
}
