/**
 * - `closed`: the client was closed before this was done.
 * - `uncertain`: the connection is gone for good; the broker may have stored the message, or not.
 * - `refused`: the broker closes the connection for this message or wish; `message` says why.
 * - `full`: too many messages wait for the broker.
 * - `unauthorized`: the broker does not accept these credentials, or not this page.
 * - `taken-over`: another client goes on with this connection.
 * - `protocol`: the broker broke the protocol.
 * - `storage`: IndexedDB failed.
 */
export type ErrorCode = "closed" | "uncertain" | "refused" | "full" | "unauthorized" | "taken-over" | "protocol" | "storage";
/** Everything that this client fails with. */
export declare class WharfError extends Error {
    readonly code: ErrorCode;
    name: string;
    constructor(code: ErrorCode, message: string);
}
