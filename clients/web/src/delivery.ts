import type { Content, Property } from "./frames.js";

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder();

/** A message that came. */
export class Delivery {
    /** The address that it came from. */
    readonly address: string;
    readonly contentType: string;
    /** In their order; names may repeat. */
    readonly properties: Property[];
    /** Text if it was sent as text, else octets. */
    readonly body: string | Uint8Array;

    /** @internal */
    constructor(
        { addresses, contentType, properties, body }: Content,
        /** The same for as long as the connection is recovered, over reloads too: what to recognise a repetition by. */
        readonly id: string,
        private readonly taken: () => Promise<boolean>,
    ) {
        this.address = addresses[0]!;
        this.contentType = contentType;
        this.properties = properties;
        this.body = body;
    }

    text(): string {
        return typeof this.body === "string" ? this.body : fromUtf8.decode(this.body);
    }

    json<T = unknown>(): T {
        return JSON.parse(this.text());
    }

    bytes(): Uint8Array {
        return typeof this.body === "string" ? utf8.encode(this.body) : this.body;
    }

    /** The first property of this name. */
    property(name: string): string | undefined {
        return this.properties.find(([known]) => known === name)?.[1];
    }

    /**
     * The message is dealt with and never comes again; with `persist`, not to a later page either. Resolves with
     * `false` if it does come again, since its connection was lost meanwhile.
     */
    ack(): Promise<boolean> {
        return this.taken();
    }
}
