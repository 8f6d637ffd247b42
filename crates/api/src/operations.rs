//! The table of operations.

use crate::shapes::*;
use schemars::{JsonSchema, Schema, SchemaGenerator};

/// A method of HTTP.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Method {
    /// Reads.
    Get,
    /// Makes it so; again changes nothing.
    Put,
    /// Does something.
    Post,
    /// Removes.
    Delete,
}

impl Method {
    /// As it is written in a request.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// What a user needs for an operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Needs {
    /// A login.
    Login,
    /// To look into an area: `receive` on `wharf/…` by a rule that begins so, or `manage` on it.
    Read(&'static str),
    /// To change an area: `manage` on `wharf/…`.
    Manage(&'static str),
    /// To look into the address of the path: `receive` or `manage` on it.
    ReadAddress,
    /// To receive from the address of the path: `receive` on it.
    ReceiveFromAddress,
    /// To send to the address of the path: `send` on it.
    SendToAddress,
    /// To change the address of the path: `manage` on it.
    ManageAddress,
}

/// The schema of a body.
pub type Shape = fn(&mut SchemaGenerator) -> Schema;

/// A parameter of a query.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Query {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// What it may be.
    pub values: Values,
}

/// What a parameter of a query may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Values {
    /// Any text.
    Text,
    /// A whole number in these bounds.
    Integer(u64, u64),
    /// `true` or `false`.
    Flag,
    /// One of these.
    OneOf(&'static [&'static str]),
}

/// One operation.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// Which it is.
    pub op: Op,
    /// Its name in the document and the audit log.
    pub name: &'static str,
    /// Its method.
    pub method: Method,
    /// Its path behind the base, with `{…}` for what varies.
    pub path: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// What a user needs for it.
    pub needs: Needs,
    /// Parameters of its query.
    pub query: &'static [Query],
    /// What it takes.
    pub takes: Option<Shape>,
    /// Status when it succeeds: 200, 201 (something new) or 204 (nothing to say).
    pub status: u16,
    /// What it gives.
    pub gives: Option<Shape>,
}

fn shape<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

const fn text(name: &'static str, doc: &'static str) -> Query {
    Query { name, doc, values: Values::Text }
}

const fn one_of(name: &'static str, doc: &'static str, all: &'static [&'static str]) -> Query {
    Query { name, doc, values: Values::OneOf(all) }
}

const fn flag(name: &'static str, doc: &'static str) -> Query {
    Query { name, doc, values: Values::Flag }
}

const LIMIT: Query =
    Query { name: "limit", doc: "Most items of a page.", values: Values::Integer(1, 1000) };
const CURSOR: Query = text("cursor", "Where the page before ended: its `next`.");
const HOST: Query = text("host", "The virtual host; the first one when absent.");
const SUBSCRIPTION: Query =
    text("subscription", "Name of a subscription; needed for a topic, and for nothing else.");
const ORDER: Query = one_of("order", "Ascending (`asc`) or descending.", &["asc", "desc"]);
const LEVEL: Query = one_of("level", "The least level of a line.", LogLevel::NAMES);
const EVENT: Query = text("event", "The id of the event.");
const PRUNE: Query = flag("prune", "Whether what is not among the definitions is removed.");
const DRY_RUN: Query = flag("dry_run", "Whether only to say what would change.");

const PAGE: &[Query] = &[LIMIT, CURSOR];

/// Names the operations; the table below says what each is.
macro_rules! operations {
    ($($op:ident $name:literal $method:ident $path:literal $summary:literal
       needs $needs:expr; query $query:expr; takes $takes:expr; gives $status:literal $gives:expr;)*) => {
        /// Which operation it is.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        #[expect(missing_docs, reason = "the table says what each does")]
        pub enum Op { $($op),* }

        /// Every operation.
        pub const OPERATIONS: &[Operation] = &[$(Operation {
            op: Op::$op,
            name: $name,
            method: Method::$method,
            path: $path,
            summary: $summary,
            needs: $needs,
            query: $query,
            takes: $takes,
            status: $status,
            gives: $gives,
        }),*];
    };
}

operations! {
    GetOverview "getOverview" Get "/overview" "The broker at a glance."
        needs Needs::Read("overview"); query &[]; takes None; gives 200 Some(shape::<Overview>);
    GetHealth "getHealth" Get "/health" "Whether the broker is well, and why not."
        needs Needs::Read("overview"); query &[]; takes None; gives 200 Some(shape::<Health>);
    GetWhoami "getWhoami" Get "/whoami" "Who asks, and what that user may do."
        needs Needs::Login; query &[]; takes None; gives 200 Some(shape::<Whoami>);
    ListHosts "listHosts" Get "/hosts" "Virtual hosts."
        needs Needs::Read("overview"); query &[]; takes None; gives 200 Some(shape::<Page<Host>>);

    ListUsers "listUsers" Get "/users" "Users, by name."
        needs Needs::Read("users"); query PAGE; takes None; gives 200 Some(shape::<Page<User>>);
    GetUser "getUser" Get "/users/{user}" "One user."
        needs Needs::Read("users"); query &[]; takes None; gives 200 Some(shape::<User>);
    PutUser "putUser" Put "/users/{user}"
        "Makes or changes a user. What it may do no more ends at once."
        needs Needs::Manage("users"); query &[]; takes Some(shape::<UserChange>);
        gives 200 Some(shape::<User>);
    DeleteUser "deleteUser" Delete "/users/{user}"
        "Removes a user, with its sessions and connections."
        needs Needs::Manage("users"); query &[]; takes None; gives 204 None;
    ListPermissions "listPermissions" Get "/permissions" "The rules of all users."
        needs Needs::Read("users"); query PAGE; takes None;
        gives 200 Some(shape::<Page<UserPermission>>);
    ListTokens "listTokens" Get "/tokens" "Tokens that are valid."
        needs Needs::Read("tokens"); query PAGE; takes None; gives 200 Some(shape::<Page<Token>>);
    MintToken "mintToken" Post "/tokens" "Makes a token that lets in instead of a password; for another user it takes `manage` on \
         `wharf/users` too."
        needs Needs::Manage("tokens"); query &[]; takes Some(shape::<Minting>);
        gives 201 Some(shape::<Minted>);
    RevokeToken "revokeToken" Delete "/tokens/{token}"
        "Revokes a token, and closes the connections it has let in."
        needs Needs::Manage("tokens"); query &[]; takes None; gives 204 None;

    ListAddresses "listAddresses" Get "/addresses"
        "Addresses that the user may look into, with what is in them."
        needs Needs::Login;
        query &[
            LIMIT, CURSOR, HOST,
            text("pattern", "Only addresses that match."),
            one_of("kind", "Only queues, or only topics.", &["queue", "topic"]),
            one_of("sort", "By what; by name when absent.",
                &["name", "messages_ready", "messages_out", "messages_bytes", "consumers"]),
            ORDER,
        ];
        takes None; gives 200 Some(shape::<Page<Address>>);
    GetAddress "getAddress" Get "/addresses/{address}" "One address."
        needs Needs::ReadAddress; query &[HOST]; takes None; gives 200 Some(shape::<Address>);
    PutAddress "putAddress" Put "/addresses/{address}"
        "Declares an address. One that is there already stays as it is."
        needs Needs::ManageAddress; query &[HOST]; takes Some(shape::<AddressDeclaration>);
        gives 200 Some(shape::<Address>);
    DeleteAddress "deleteAddress" Delete "/addresses/{address}"
        "Deletes an address with the messages that wait in it."
        needs Needs::ManageAddress; query &[HOST]; takes None; gives 204 None;
    ListSubscriptions "listSubscriptions" Get "/addresses/{address}/subscriptions"
        "The queues of an address: its own, or the subscriptions of a topic."
        needs Needs::ReadAddress; query &[LIMIT, CURSOR, HOST]; takes None;
        gives 200 Some(shape::<Page<Subscription>>);
    DeleteSubscription "deleteSubscription" Delete
        "/addresses/{address}/subscriptions/{subscription}"
        "Ends a durable subscription with what is in it."
        needs Needs::ManageAddress; query &[HOST]; takes None; gives 204 None;
    PeekMessages "peekMessages" Get "/addresses/{address}/messages"
        "The oldest messages that are not out; they stay where they are. Not of a topic."
        needs Needs::ReceiveFromAddress;
        query &[
            HOST, SUBSCRIPTION,
            Query { name: "limit", doc: "Most messages.", values: Values::Integer(1, 100) },
        ];
        takes None; gives 200 Some(shape::<Peeked>);
    PublishMessage "publishMessage" Post "/addresses/{address}/messages"
        "Sends a message; answered when it is durable."
        needs Needs::SendToAddress; query &[HOST]; takes Some(shape::<Publishing>); gives 204 None;
    PurgeAddress "purgeAddress" Post "/addresses/{address}/purge"
        "Drops every message that is not out."
        needs Needs::ManageAddress; query &[HOST, SUBSCRIPTION]; takes None;
        gives 200 Some(shape::<Purged>);
    MoveMessages "moveMessages" Post "/addresses/{address}/move"
        "Moves messages that are not out to another address. The user needs `send` on it."
        needs Needs::ManageAddress; query &[HOST, SUBSCRIPTION]; takes Some(shape::<Moving>);
        gives 200 Some(shape::<Moved>);
    RedriveMessages "redriveMessages" Post "/addresses/{address}/redrive"
        "Sends dead letters back to the addresses where they died."
        needs Needs::ManageAddress; query &[HOST, SUBSCRIPTION]; takes Some(shape::<Redriving>);
        gives 200 Some(shape::<Moved>);

    ListPolicies "listPolicies" Get "/policies" "Policies, in the order in which they apply."
        needs Needs::Read("policies"); query PAGE; takes None;
        gives 200 Some(shape::<Page<Policy>>);
    GetPolicy "getPolicy" Get "/policies/{policy}" "One policy."
        needs Needs::Read("policies"); query &[]; takes None; gives 200 Some(shape::<Policy>);
    PutPolicy "putPolicy" Put "/policies/{policy}" "Makes or changes a policy; it applies at once."
        needs Needs::Manage("policies"); query &[]; takes Some(shape::<PolicyRule>);
        gives 200 Some(shape::<Policy>);
    DeletePolicy "deletePolicy" Delete "/policies/{policy}" "Removes a policy."
        needs Needs::Manage("policies"); query &[]; takes None; gives 204 None;
    ListRoutes "listRoutes" Get "/routes" "Routes, by name."
        needs Needs::Read("routes"); query PAGE; takes None; gives 200 Some(shape::<Page<Route>>);
    GetRoute "getRoute" Get "/routes/{route}" "One route."
        needs Needs::Read("routes"); query &[]; takes None; gives 200 Some(shape::<Route>);
    PutRoute "putRoute" Put "/routes/{route}" "Makes or changes a route; it applies at once."
        needs Needs::Manage("routes"); query &[]; takes Some(shape::<RouteRule>);
        gives 200 Some(shape::<Route>);
    DeleteRoute "deleteRoute" Delete "/routes/{route}" "Removes a route."
        needs Needs::Manage("routes"); query &[]; takes None; gives 204 None;

    ListConnections "listConnections" Get "/connections" "Connections, the oldest first."
        needs Needs::Login;
        query &[
            LIMIT, CURSOR,
            text("user", "Only those of this user; `me` is who asks, and needs no permission."),
            one_of("protocol", "Only those of this protocol.", &["mbws", "amqp", "xmpp"]),
        ];
        takes None; gives 200 Some(shape::<Page<Connection>>);
    GetConnection "getConnection" Get "/connections/{connection}"
        "One connection. Its own user needs no permission."
        needs Needs::Login; query &[]; takes None; gives 200 Some(shape::<Connection>);
    CloseConnection "closeConnection" Delete "/connections/{connection}"
        "Closes a connection; its session stays. Its own user needs no permission."
        needs Needs::Login;
        query &[flag("abrupt", "Without a word, as if the wire were cut.")];
        takes None; gives 204 None;
    RenewLogin "renewLogin" Post "/connections/{connection}/renew"
        "Lets a connection go on for as long as the token of this request is valid. Both must be \
         of one user."
        needs Needs::Login; query &[]; takes None; gives 200 Some(shape::<Connection>);
    ListSessions "listSessions" Get "/sessions" "Sessions, the oldest first."
        needs Needs::Read("sessions");
        query &[
            LIMIT, CURSOR,
            text("user", "Only those of this user."),
            flag("attached", "Only those with a connection, or only those without."),
        ];
        takes None; gives 200 Some(shape::<Page<Session>>);
    GetSession "getSession" Get "/sessions/{session}" "One session."
        needs Needs::Read("sessions"); query &[]; takes None; gives 200 Some(shape::<Session>);
    EndSession "endSession" Delete "/sessions/{session}"
        "Ends a session for good; what it has not settled goes back to its queues."
        needs Needs::Manage("sessions"); query &[]; takes None; gives 204 None;

    GetDefinitions "getDefinitions" Get "/definitions"
        "Everything defined here, with an ETag. It holds password verifiers, which are secrets."
        needs Needs::Manage("definitions"); query &[]; takes None;
        gives 200 Some(shape::<Definitions>);
    PutDefinitions "putDefinitions" Put "/definitions"
        "Makes definitions true. `If-Match` with an ETag: only if nothing has changed since."
        needs Needs::Manage("definitions"); query &[PRUNE, DRY_RUN];
        takes Some(shape::<Definitions>); gives 200 Some(shape::<Applied>);
    ImportRabbit "importRabbit" Post "/definitions/rabbitmq"
        "Takes over the users, permissions, queues and policies of a definitions file of RabbitMQ, \
         as far as they have a counterpart."
        needs Needs::Manage("definitions"); query &[DRY_RUN];
        takes Some(shape::<RabbitDefinitions>); gives 200 Some(shape::<Applied>);

    GetConfiguration "getConfiguration" Get "/configuration"
        "The configuration in use, without secrets."
        needs Needs::Read("configuration"); query &[]; takes None;
        gives 200 Some(shape::<Configuration>);
    Reload "reload" Post "/reload" "Reads the configuration and the certificates again."
        needs Needs::Manage("node"); query &[]; takes None; gives 200 Some(shape::<Reloaded>);
    Drain "drain" Post "/drain"
        "Lets nobody in any more and sends everybody away; every session can be taken up again."
        needs Needs::Manage("node"); query &[]; takes Some(shape::<Draining>); gives 204 None;
    ListAudit "listAudit" Get "/audit" "What administrators did lately, the newest first."
        needs Needs::Read("audit"); query PAGE; takes None;
        gives 200 Some(shape::<Page<AuditEntry>>);
    ListLogs "listLogs" Get "/logs" "The latest lines of the log, the newest first."
        needs Needs::Read("logs"); query &[LIMIT, CURSOR, LEVEL, EVENT]; takes None;
        gives 200 Some(shape::<Page<LogEntry>>);
}

impl Operation {
    /// The names of `{…}` in the path.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// Whether it changes something.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.method != Method::Get
    }
}

impl Op {
    /// Its row of the table.
    ///
    /// # Panics
    /// Never: every name is in the table, of which it is made.
    #[must_use]
    pub fn operation(self) -> &'static Operation {
        let row = OPERATIONS.iter().find(|operation| operation.op == self);
        row.expect("the names are made of the table")
    }
}
