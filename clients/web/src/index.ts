// The client of Wharf for browsers and node, over MBWS.
import { makeClient } from "./client.js";
import { indexedStore, memoryStore } from "./stores.js";
import { WharfError, type Client, type Options } from "./types.js";

export { WharfError };
export type * from "./types.js";

/**
 * A client of the broker at this URL, such as `wss://example.com/ws`. Resolves when it can be used, which is before the
 * broker is reached: what is sent meanwhile waits. Listen to `state` to learn how it fares.
 */
export async function connect(url: string | URL, options: Options = {}): Promise<Client> {
    const { persist } = options;
    if (typeof persist === "object") return makeClient(url, options, persist);
    if (!persist) return makeClient(url, options, memoryStore());
    const name = `wharf:${persist === true ? "default" : persist}`;
    let store;
    try {
        // Pages have it on https and localhost.
        if (!navigator.locks) throw new Error("no Web Locks");
        store = await indexedStore(name);
    } catch (error) {
        throw new WharfError("storage", String(error));
    }
    return makeClient(url, options, store, name);
}
