// Made by types.mjs of docs/reference/openapi.json, where all of it is explained.

type Nothing = Record<never, never>;

export interface Page<T> {
    items: T[];
    next?: string | null;
}

export interface Address {
    consumers: number;
    dynamic: boolean;
    host: string;
    kind: Kind;
    messages_bytes: number;
    messages_out: number;
    messages_ready: number;
    name: string;
    subscriptions: number;
}

export interface AddressDeclaration {
    kind?: Kind | null;
}

export interface AddressDefinition {
    host: string;
    kind: Kind;
    name: string;
}

export interface Applied {
    changed: string[];
    created: string[];
    removed: string[];
    skipped: string[];
}

export interface AuditEntry {
    at_ms: number;
    operation: string;
    peer: string;
    status: number;
    target: string;
    user: string;
}

export interface Check {
    detail: string;
    name: string;
    ok: boolean;
}

export type Code =
    | "invalid-request"
    | "invalid-value"
    | "not-authenticated"
    | "not-permitted"
    | "origin-not-allowed"
    | "not-found"
    | "method-not-allowed"
    | "conflict"
    | "changed"
    | "too-large"
    | "unsupported-media-type"
    | "too-many-requests"
    | "internal"
    | "unavailable";

export interface Configuration {
    toml: string;
}

export interface Connection {
    host: string;
    id: string;
    login_expires_at_ms?: number | null;
    opened_at_ms: number;
    peer: string;
    protocol: Protocol;
    secure: boolean;
    session?: string | null;
    tag?: string | null;
    user?: string | null;
}

export type ConnectionChange = "opened" | "closed";

export interface ConnectionEvent {
    at_ms: number;
    change: ConnectionChange;
    connection: Connection;
}

export interface Death {
    address: string;
    detail?: string | null;
    reason: string;
}

export interface Definitions {
    addresses: AddressDefinition[];
    policies: Policy[];
    routes: Route[];
    users: UserDefinition[];
    version: number;
}

export interface Draining {
    close_code?: number | null;
    over_ms: number;
    stop: boolean;
}

export interface Health {
    checks: Check[];
    ready: boolean;
}

export interface Host {
    configured: boolean;
    default: boolean;
    name: string;
}

export type Kind = "queue" | "topic";

export interface Limits {
    bytes_per_second_max: number;
    connections_max: number;
    messages_per_second_max: number;
    sessions_max: number;
}

export interface LogEntry {
    at_ms: number;
    event?: string | null;
    fields: Record<string, string>;
    level: LogLevel;
    message: string;
    number: number;
}

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error";

export interface Message {
    base64?: string | null;
    content_type: string;
    death?: Death | null;
    deliveries: number;
    len_bytes: number;
    properties: Record<string, string>;
    text?: string | null;
}

export interface Minted {
    secret: string;
    token: Token;
}

export interface Minting {
    note: string;
    user?: string | null;
    valid_s: number;
}

export interface Missed {
    missed: number;
}

export interface Moved {
    messages: number;
    remaining: number;
}

export interface Moving {
    messages_max: number;
    to: string;
}

export type Overflow = "reject" | "drop-oldest";

export interface Overview {
    addresses: number;
    connections: number;
    hosts: string[];
    messages: number;
    messages_acknowledged_total: number;
    messages_bytes: number;
    messages_dead_lettered_total: number;
    messages_delivered_total: number;
    messages_duplicate_suppressed_total: number;
    messages_received_total: number;
    messages_redelivered_total: number;
    phase: Phase;
    pid: number;
    session_resumes_total: number;
    sessions: number;
    sessions_expired_total: number;
    sessions_resumable: number;
    started_at_ms: number;
    store_frames_bytes_total: number;
    store_frames_total: number;
    uptime_ms: number;
    version: string;
}

export interface Peeked {
    items: Message[];
}

export interface Permission {
    host: string;
    manage: boolean;
    pattern: string;
    receive: boolean;
    send: boolean;
}

export type Phase = "starting" | "ready" | "draining" | "failed";

export interface Policy {
    bytes_max: number;
    dead_letter_address: string;
    deliveries_max: number;
    kind: Kind;
    messages_max: number;
    name: string;
    overflow: Overflow;
    pattern: string;
    priority: number;
    ttl_ms: number;
}

export interface PolicyRule {
    bytes_max: number;
    dead_letter_address: string;
    deliveries_max: number;
    kind: Kind;
    messages_max: number;
    overflow: Overflow;
    pattern: string;
    priority: number;
    ttl_ms: number;
}

export interface Problem {
    code: Code;
    detail: string;
    status: number;
    title: string;
    type: string;
}

export type Protocol = "mbws" | "amqp" | "xmpp";

export interface Publishing {
    base64?: string | null;
    content_type: string;
    properties: Record<string, string>;
    text?: string | null;
}

export interface Purged {
    messages: number;
}

export type RabbitDefinitions = unknown;

export interface Redriving {
    messages_max: number;
}

export interface Reloaded {
    changed: string[];
    needs_restart: string[];
}

export interface Route {
    address: string;
    host: string;
    kind: RouteKind;
    name: string;
    to: string[];
    url?: string;
}

export type RouteKind = "alias" | "fan-out" | "redirect";

export interface RouteRule {
    address: string;
    host: string;
    kind: RouteKind;
    to: string[];
    url?: string;
}

export interface Session {
    connection?: string | null;
    consumers: number;
    deliveries_unsettled: number;
    deliveries_unsettled_bytes: number;
    host: string;
    id: string;
    messages_delivered: number;
    messages_received: number;
    origin?: string | null;
    recoverable: boolean;
    resumable_until_ms?: number | null;
    user: string;
}

export interface Subscription {
    consumers: number;
    messages_bytes: number;
    messages_out: number;
    messages_ready: number;
    name?: string | null;
    oldest_age_ms?: number | null;
    session?: string | null;
}

export interface Token {
    expires_at_ms: number;
    id: string;
    note: string;
    user: string;
}

export interface User {
    has_password: boolean;
    limits: Limits;
    name: string;
    permissions: Permission[];
    scram: string[];
}

export interface UserChange {
    limits: Limits;
    password?: string | null;
    password_verifier?: string | null;
    permissions: Permission[];
}

export interface UserDefinition {
    limits: Limits;
    name: string;
    password_verifier: string;
    permissions: Permission[];
}

export interface UserPermission {
    host: string;
    manage: boolean;
    pattern: string;
    receive: boolean;
    send: boolean;
    user: string;
}

export interface Whoami {
    permissions: Permission[];
    reads: string[];
    user: string;
}

export interface Operations {
    listAddresses: {
        path: Nothing;
        query: {
            limit?: number;
            cursor?: string;
            host?: string;
            pattern?: string;
            kind?: "queue" | "topic";
            sort?: "name" | "messages_ready" | "messages_out" | "messages_bytes" | "consumers";
            order?: "asc" | "desc";
        };
        body: undefined;
        gives: Page<Address>;
    };
    getAddress: {
        path: { address: string };
        query: { host?: string };
        body: undefined;
        gives: Address;
    };
    putAddress: {
        path: { address: string };
        query: { host?: string };
        body: AddressDeclaration;
        gives: Address;
    };
    deleteAddress: {
        path: { address: string };
        query: { host?: string };
        body: undefined;
        gives: undefined;
    };
    peekMessages: {
        path: { address: string };
        query: { host?: string; subscription?: string; limit?: number };
        body: undefined;
        gives: Peeked;
    };
    publishMessage: {
        path: { address: string };
        query: { host?: string };
        body: Publishing;
        gives: undefined;
    };
    moveMessages: {
        path: { address: string };
        query: { host?: string; subscription?: string };
        body: Moving;
        gives: Moved;
    };
    purgeAddress: {
        path: { address: string };
        query: { host?: string; subscription?: string };
        body: undefined;
        gives: Purged;
    };
    redriveMessages: {
        path: { address: string };
        query: { host?: string; subscription?: string };
        body: Redriving;
        gives: Moved;
    };
    listSubscriptions: {
        path: { address: string };
        query: { limit?: number; cursor?: string; host?: string };
        body: undefined;
        gives: Page<Subscription>;
    };
    deleteSubscription: {
        path: { address: string; subscription: string };
        query: { host?: string };
        body: undefined;
        gives: undefined;
    };
    listAudit: {
        path: Nothing;
        query: { limit?: number; cursor?: string };
        body: undefined;
        gives: Page<AuditEntry>;
    };
    getConfiguration: {
        path: Nothing;
        query: Nothing;
        body: undefined;
        gives: Configuration;
    };
    listConnections: {
        path: Nothing;
        query: {
            limit?: number;
            cursor?: string;
            user?: string;
            protocol?: "mbws" | "amqp" | "xmpp";
        };
        body: undefined;
        gives: Page<Connection>;
    };
    getConnection: {
        path: { connection: string };
        query: Nothing;
        body: undefined;
        gives: Connection;
    };
    closeConnection: {
        path: { connection: string };
        query: { abrupt?: boolean };
        body: undefined;
        gives: undefined;
    };
    renewLogin: {
        path: { connection: string };
        query: Nothing;
        body: undefined;
        gives: Connection;
    };
    getDefinitions: {
        path: Nothing;
        query: Nothing;
        body: undefined;
        gives: Definitions;
    };
    putDefinitions: {
        path: Nothing;
        query: { prune?: boolean; dry_run?: boolean };
        body: Definitions;
        gives: Applied;
    };
    importRabbit: {
        path: Nothing;
        query: { dry_run?: boolean };
        body: RabbitDefinitions;
        gives: Applied;
    };
    drain: {
        path: Nothing;
        query: Nothing;
        body: Draining;
        gives: undefined;
    };
    getHealth: {
        path: Nothing;
        query: Nothing;
        body: undefined;
        gives: Health;
    };
    listHosts: {
        path: Nothing;
        query: Nothing;
        body: undefined;
        gives: Page<Host>;
    };
    listLogs: {
        path: Nothing;
        query: {
            limit?: number;
            cursor?: string;
            level?: "trace" | "debug" | "info" | "warn" | "error";
            event?: string;
        };
        body: undefined;
        gives: Page<LogEntry>;
    };
    getOverview: {
        path: Nothing;
        query: Nothing;
        body: undefined;
        gives: Overview;
    };
    listPermissions: {
        path: Nothing;
        query: { limit?: number; cursor?: string };
        body: undefined;
        gives: Page<UserPermission>;
    };
    listPolicies: {
        path: Nothing;
        query: { limit?: number; cursor?: string };
        body: undefined;
        gives: Page<Policy>;
    };
    getPolicy: {
        path: { policy: string };
        query: Nothing;
        body: undefined;
        gives: Policy;
    };
    putPolicy: {
        path: { policy: string };
        query: Nothing;
        body: PolicyRule;
        gives: Policy;
    };
    deletePolicy: {
        path: { policy: string };
        query: Nothing;
        body: undefined;
        gives: undefined;
    };
    reload: {
        path: Nothing;
        query: Nothing;
        body: undefined;
        gives: Reloaded;
    };
    listRoutes: {
        path: Nothing;
        query: { limit?: number; cursor?: string };
        body: undefined;
        gives: Page<Route>;
    };
    getRoute: {
        path: { route: string };
        query: Nothing;
        body: undefined;
        gives: Route;
    };
    putRoute: {
        path: { route: string };
        query: Nothing;
        body: RouteRule;
        gives: Route;
    };
    deleteRoute: {
        path: { route: string };
        query: Nothing;
        body: undefined;
        gives: undefined;
    };
    listSessions: {
        path: Nothing;
        query: { limit?: number; cursor?: string; user?: string; attached?: boolean };
        body: undefined;
        gives: Page<Session>;
    };
    getSession: {
        path: { session: string };
        query: Nothing;
        body: undefined;
        gives: Session;
    };
    endSession: {
        path: { session: string };
        query: Nothing;
        body: undefined;
        gives: undefined;
    };
    listTokens: {
        path: Nothing;
        query: { limit?: number; cursor?: string };
        body: undefined;
        gives: Page<Token>;
    };
    mintToken: {
        path: Nothing;
        query: Nothing;
        body: Minting;
        gives: Minted;
    };
    revokeToken: {
        path: { token: string };
        query: Nothing;
        body: undefined;
        gives: undefined;
    };
    listUsers: {
        path: Nothing;
        query: { limit?: number; cursor?: string };
        body: undefined;
        gives: Page<User>;
    };
    getUser: {
        path: { user: string };
        query: Nothing;
        body: undefined;
        gives: User;
    };
    putUser: {
        path: { user: string };
        query: Nothing;
        body: UserChange;
        gives: User;
    };
    deleteUser: {
        path: { user: string };
        query: Nothing;
        body: undefined;
        gives: undefined;
    };
    getWhoami: {
        path: Nothing;
        query: Nothing;
        body: undefined;
        gives: Whoami;
    };
}

/** Method and path of each. */
export const OPERATIONS: Record<keyof Operations, readonly [string, string]> = {
    listAddresses: ["GET", "/addresses"],
    getAddress: ["GET", "/addresses/{address}"],
    putAddress: ["PUT", "/addresses/{address}"],
    deleteAddress: ["DELETE", "/addresses/{address}"],
    peekMessages: ["GET", "/addresses/{address}/messages"],
    publishMessage: ["POST", "/addresses/{address}/messages"],
    moveMessages: ["POST", "/addresses/{address}/move"],
    purgeAddress: ["POST", "/addresses/{address}/purge"],
    redriveMessages: ["POST", "/addresses/{address}/redrive"],
    listSubscriptions: ["GET", "/addresses/{address}/subscriptions"],
    deleteSubscription: ["DELETE", "/addresses/{address}/subscriptions/{subscription}"],
    listAudit: ["GET", "/audit"],
    getConfiguration: ["GET", "/configuration"],
    listConnections: ["GET", "/connections"],
    getConnection: ["GET", "/connections/{connection}"],
    closeConnection: ["DELETE", "/connections/{connection}"],
    renewLogin: ["POST", "/connections/{connection}/renew"],
    getDefinitions: ["GET", "/definitions"],
    putDefinitions: ["PUT", "/definitions"],
    importRabbit: ["POST", "/definitions/rabbitmq"],
    drain: ["POST", "/drain"],
    getHealth: ["GET", "/health"],
    listHosts: ["GET", "/hosts"],
    listLogs: ["GET", "/logs"],
    getOverview: ["GET", "/overview"],
    listPermissions: ["GET", "/permissions"],
    listPolicies: ["GET", "/policies"],
    getPolicy: ["GET", "/policies/{policy}"],
    putPolicy: ["PUT", "/policies/{policy}"],
    deletePolicy: ["DELETE", "/policies/{policy}"],
    reload: ["POST", "/reload"],
    listRoutes: ["GET", "/routes"],
    getRoute: ["GET", "/routes/{route}"],
    putRoute: ["PUT", "/routes/{route}"],
    deleteRoute: ["DELETE", "/routes/{route}"],
    listSessions: ["GET", "/sessions"],
    getSession: ["GET", "/sessions/{session}"],
    endSession: ["DELETE", "/sessions/{session}"],
    listTokens: ["GET", "/tokens"],
    mintToken: ["POST", "/tokens"],
    revokeToken: ["DELETE", "/tokens/{token}"],
    listUsers: ["GET", "/users"],
    getUser: ["GET", "/users/{user}"],
    putUser: ["PUT", "/users/{user}"],
    deleteUser: ["DELETE", "/users/{user}"],
    getWhoami: ["GET", "/whoami"],
};
