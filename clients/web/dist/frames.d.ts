/** The name and the value of a property. Names may repeat. */
export type Property = [name: string, value: string];
/** A message with its metadata. A body of text travels as text, one of octets as octets. */
export interface Content {
    addresses: string[];
    contentType: string;
    properties: Property[];
    body: string | Uint8Array;
}
export type Frame = {
    id: 1;
    name: string;
    numbers: number[];
} | {
    id: 2;
    number: number;
} | ({
    id: 3;
} & Content);
/** A frame as it is sent: text or octets. */
export type Wire = string | Uint8Array;
export declare const connectFrame: (name?: string, numbers?: number[]) => string;
export declare const acknowledgeFrame: (number: number) => string;
export declare function messageFrame({ addresses, contentType, properties, body }: Content): Wire;
/** Length of a frame, near enough for a bound. */
export declare const sizeOf: (frame: Wire) => number;
/** Reads one WebSocket message. Throws what MBWS-120 calls malformed. */
export declare function decode(data: Wire): Frame;
