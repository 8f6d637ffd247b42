import type { Property } from "./frames.js";
/** A message that came. */
export declare class Delivery {
    /** The same for as long as the connection is recovered, over reloads too: what to recognise a repetition by. */
    readonly id: string;
    private readonly taken;
    /** The address that it came from. */
    readonly address: string;
    readonly contentType: string;
    /** In their order; names may repeat. */
    readonly properties: Property[];
    /** Text if it was sent as text, else octets. */
    readonly body: string | Uint8Array;
    text(): string;
    json<T = unknown>(): T;
    bytes(): Uint8Array;
    /** The first property of this name. */
    property(name: string): string | undefined;
    /**
     * The message is dealt with and never comes again; with `persist`, not to a later page either. Resolves with
     * `false` if it does come again, since its connection was lost meanwhile.
     */
    ack(): Promise<boolean>;
}
