// A subscription of this page to a topic, over MBWS: the page is a client like any other, and takes
// nothing from anybody.
import {
    connect,
    type Client,
    type Delivery,
    type Options,
    type State,
} from "../../web/src/index.ts";
import { token, Wire } from "./left.ts";

export interface Heard {
    number: number;
    at_ms: number;
    content_type: string;
    properties: Record<string, string>;
    text?: string;
    base64?: string;
    len_bytes: number;
}

interface Listener {
    heard: (message: Heard) => void;
    state: (state: State, reason?: string) => void;
}

const OCTETS_AT_ONCE = 8192;

function base64(octets: Uint8Array): string {
    let text = "";
    for (let at = 0; at < octets.length; at += OCTETS_AT_ONCE) {
        text += String.fromCharCode(...octets.subarray(at, at + OCTETS_AT_ONCE));
    }
    return btoa(text);
}

function heard(delivery: Delivery, number: number): Heard {
    const { body, contentType, properties } = delivery;
    return {
        number,
        at_ms: Date.now(),
        content_type: contentType,
        properties: Object.fromEntries(properties),
        ...(typeof body === "string" ? { text: body } : { base64: base64(body) }),
        len_bytes: delivery.bytes().length,
    };
}

/** Listens to a topic until the signal aborts. */
export async function tap(topic: string, { heard: tell, state }: Listener, signal: AbortSignal) {
    const url = new URL("/ws?tag=console", location.href);
    const WebSocket = Wire as unknown as NonNullable<Options["WebSocket"]>;
    const client: Client = await connect(url, { ...token(), WebSocket, signal });
    client.addEventListener("state", (event) => {
        const { detail } = event as CustomEvent<{ state: State; reason?: string; error?: Error }>;
        state(detail.state, detail.error?.message ?? detail.reason);
    });
    state(client.state);
    let number = 0;
    try {
        for await (const delivery of client.receive(topic, { credit: 100, signal })) {
            number += 1;
            tell(heard(delivery, number));
            void delivery.ack();
        }
    } catch (error) {
        if (!signal.aborted) state("closed", (error as Error).message);
    }
}
