//! The management API over real HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    reason = "a test drives a process over sockets, and fails loudly"
)]

mod harness;

use harness::{Broker, MBWS, Scratch, eventually, handshake, read_head, read_to_end, status};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};

/// A broker with the administrator `root`, and its API.
struct Api {
    _scratch: Scratch,
    broker: Broker,
}

fn basic(user: &str) -> String {
    let pair = data_encoding::BASE64.encode(format!("{user}:secret").as_bytes());
    format!("Authorization: Basic {pair}\r\n")
}

impl Api {
    fn start(arguments: &[&str]) -> Self {
        let scratch = Scratch::new();
        let mut all = vec!["--user", "root:secret"];
        all.extend(arguments);
        let broker = Broker::start(scratch.path(), &all);
        Self { _scratch: scratch, broker }
    }

    /// One request; its status and what it gives.
    fn ask(&self, login: &str, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let body = body.map(Value::to_string).unwrap_or_default();
        let media = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        let answer = self.broker.ask(&format!(
            "{method} /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{login}{media}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        let given = answer.split_once("\r\n\r\n").unwrap().1;
        (status(&answer), serde_json::from_str(given).unwrap_or(Value::Null))
    }

    fn root(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.ask(&basic("root"), method, path, body.as_ref())
    }

    fn get(&self, path: &str) -> Value {
        let (status, given) = self.root("GET", path, None);
        assert_eq!(status, 200, "{path}: {given}");
        given
    }

    fn put(&self, path: &str, body: Value) -> Value {
        let (status, given) = self.root("PUT", path, Some(body));
        assert_eq!(status, 200, "{path}: {given}");
        given
    }

    fn send(&self, address: &str, text: &str) {
        let path = format!("/addresses/{address}/messages");
        let sent = self.root("POST", &path, Some(json!({ "text": text })));
        assert_eq!(sent.0, 204, "{}", sent.1);
    }

    /// A WebSocket with these header lines, kept open.
    fn websocket(&self, path: &str, extra: &str) -> (u16, std::net::TcpStream) {
        let mut stream = self.broker.connect();
        stream.write_all(handshake(path, extra).as_bytes()).unwrap();
        let head = read_head(&mut stream);
        (status(&head), stream)
    }
}

#[test]
fn errors_say_what_is_wrong_and_how_to_mend_it() {
    let api = Api::start(&[]);
    let login = basic("root");
    let cases = [
        ("", "GET", "/users", None::<Value>, 401, "not-authenticated"),
        (&basic("nobody"), "GET", "/users", None, 401, "not-authenticated"),
        (&login, "GET", "/nothing", None, 404, "not-found"),
        (&login, "PATCH", "/users/ada", None, 405, "method-not-allowed"),
        (&login, "GET", "/users?limt=1", None, 400, "invalid-request"),
        (&login, "GET", "/users?limit=0", None, 400, "invalid-request"),
        (&login, "GET", "/users/nobody", None, 404, "not-found"),
        (&login, "GET", "/users/%ff", None, 400, "invalid-request"),
        (&login, "PUT", "/users/x", None, 415, "unsupported-media-type"),
        (&login, "PUT", "/users/x", Some(json!({ "pasword": "x" })), 422, "invalid-value"),
        (&login, "PUT", "/users/x%2Fy", Some(json!({})), 422, "invalid-value"),
        (&login, "DELETE", "/users/root", None, 409, "conflict"),
    ];
    for (login, method, path, body, wanted, code) in cases {
        let (status, problem) = api.ask(login, method, path, body.as_ref());
        assert_eq!((status, problem["code"].as_str()), (wanted, Some(code)), "{path}: {problem}");
        assert_eq!(problem["status"], wanted);
        assert!(!problem["detail"].as_str().unwrap().is_empty());
    }
    // Another site's page does not act in the name of who is logged in.
    let foreign = format!("{}Origin: https://evil.example\r\n", basic("root"));
    let refused = api.ask(&foreign, "GET", "/users", None);
    assert_eq!((refused.0, refused.1["code"].as_str()), (403, Some("origin-not-allowed")));
    let own = format!("{}Origin: http://localhost\r\n", basic("root"));
    assert_eq!(api.ask(&own, "GET", "/users", None).0, 200);
    // The document is for everybody.
    let document = api.broker.get("/api/openapi.json");
    assert!(document.contains("\"openapi\":\"3.1.0\""));
}

#[test]
fn messages_are_sent_seen_moved_and_dropped() {
    let api = Api::start(&[]);
    for text in ["one", "two", "three"] {
        api.send("orders%2Fnew", text);
    }
    let address = api.get("/addresses/orders%2Fnew");
    assert_eq!((&address["messages_ready"], &address["kind"]), (&json!(3), &json!("queue")));
    let peeked = api.get("/addresses/orders%2Fnew/messages?limit=2");
    let texts: Vec<&str> =
        peeked["items"].as_array().unwrap().iter().map(|it| it["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["one", "two"]);
    assert_eq!(api.root("GET", "/addresses/none/messages", None).0, 404);

    let to = |to: &str, max: u64| Some(json!({ "to": to, "messages_max": max }));
    assert_eq!(api.root("POST", "/addresses/orders%2Fnew/move", to("old", 1)).0, 409);
    api.put("/addresses/old", json!({}));
    let moved = api.root("POST", "/addresses/orders%2Fnew/move", to("old", 1)).1;
    assert_eq!(moved, json!({ "messages": 1, "remaining": 2 }));
    let purged = api.root("POST", "/addresses/orders%2Fnew/purge", None).1;
    assert_eq!(purged, json!({ "messages": 2 }));
    assert_eq!(api.get("/addresses/old")["messages_ready"], 1);
    assert_eq!(api.root("DELETE", "/addresses/old", None).0, 204);
    assert_eq!(api.root("DELETE", "/addresses/old", None).0, 404);

    // A topic has no messages but in its subscriptions.
    api.put("/addresses/news", json!({ "kind": "topic" }));
    assert_eq!(api.root("GET", "/addresses/news/messages", None).0, 409);
    assert_eq!(api.root("PUT", "/addresses/news", Some(json!({ "kind": "queue" }))).0, 409);
    assert_eq!(api.get("/addresses/news/subscriptions")["items"], json!([]));
}

#[test]
fn lists_come_in_pages() {
    let api = Api::start(&[]);
    for number in 0..7 {
        api.put(&format!("/addresses/a{number}"), json!({}));
    }
    (0..3).for_each(|_| api.send("a5", "x"));
    api.send("a2", "x");
    let walk = |query: &str| {
        let (mut names, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = api.get(&format!("/addresses?limit=3{query}{cursor}"));
            for item in page["items"].as_array().unwrap() {
                names.push(item["name"].as_str().unwrap().to_owned());
            }
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return names,
            }
        }
    };
    assert_eq!(walk(""), ["a0", "a1", "a2", "a3", "a4", "a5", "a6"]);
    assert_eq!(walk("&pattern=a*&kind=queue&order=desc")[0], "a6");
    assert_eq!(walk("&sort=messages_ready&order=desc")[..2], ["a5", "a2"]);
    assert_eq!(walk("&pattern=a3"), ["a3"]);
    assert!(walk("&kind=topic").is_empty());
    assert_eq!(api.root("GET", "/addresses?sort=messages_ready&cursor=x", None).0, 400);
}

#[test]
fn a_user_may_do_what_its_rules_say_and_no_more() {
    let api = Api::start(&[]);
    let rule = json!({ "pattern": "m/**", "manage": true });
    let monitor = json!({ "pattern": "wharf/**", "receive": true });
    api.put("/users/eve", json!({ "password": "secret", "permissions": [rule] }));
    api.put("/users/watch", json!({ "password": "secret", "permissions": [monitor] }));
    api.put("/addresses/m%2F1", json!({}));
    api.put("/addresses/x", json!({}));
    let ask = |user: &str, method: &str, path: &str| {
        api.ask(&basic(user), method, path, (method == "PUT").then(|| json!({})).as_ref()).0
    };
    assert_eq!(ask("eve", "GET", "/whoami"), 200);
    assert_eq!(ask("eve", "PUT", "/addresses/m%2F2"), 200);
    assert_eq!(ask("eve", "PUT", "/addresses/x"), 403);
    assert_eq!(ask("eve", "DELETE", "/addresses/x"), 403);
    assert_eq!(ask("eve", "GET", "/addresses/x"), 403);
    assert_eq!(ask("eve", "GET", "/addresses/m%2F1/messages"), 403, "to receive is another right");
    assert_eq!(ask("eve", "GET", "/users"), 403);
    assert_eq!(ask("eve", "PUT", "/users/eve"), 403);
    assert_eq!(ask("eve", "GET", "/connections"), 403);
    assert_eq!(ask("eve", "GET", "/connections?user=me"), 200);
    assert_eq!(ask("eve", "GET", "/definitions"), 403);
    let seen = api.ask(&basic("eve"), "GET", "/addresses", None).1;
    assert_eq!(seen["items"].as_array().unwrap().len(), 2, "{seen}");
    assert_eq!(ask("watch", "GET", "/users"), 200);
    assert_eq!(ask("watch", "GET", "/overview"), 200);
    assert_eq!(ask("watch", "PUT", "/users/eve"), 403);
    assert_eq!(ask("watch", "GET", "/definitions"), 403, "verifiers are secrets");
    // Who makes tokens makes them for itself: a token is its user.
    let mints = json!({ "pattern": "wharf/tokens", "manage": true });
    api.put("/users/mint", json!({ "password": "secret", "permissions": [mints] }));
    let mint =
        |user: &str| api.ask(&basic("mint"), "POST", "/tokens", Some(&json!({ "user": user }))).0;
    assert_eq!((mint("mint"), mint("root")), (201, 403));
    // `ada` may send and receive everything, which is not to see who there is.
    assert_eq!(ask("ada", "GET", "/users"), 403);
    // Denied attempts are in the audit too.
    let audit = api.get("/audit");
    let denied = audit["items"].as_array().unwrap().iter().any(|entry| {
        entry["user"] == "watch" && entry["operation"] == "putUser" && entry["status"] == 403
    });
    assert!(denied, "{audit}");
}

#[test]
fn tokens_let_in_until_they_are_revoked() {
    let api = Api::start(&[]);
    let minted = api.root("POST", "/tokens", Some(json!({ "user": "ada", "note": "page" })));
    assert_eq!(minted.0, 201);
    let (secret, id) = (minted.1["secret"].as_str().unwrap(), minted.1["token"]["id"].as_str());
    let bearer = format!("Authorization: Bearer {secret}\r\n");
    assert_eq!(api.ask(&bearer, "GET", "/whoami", None).1["user"], "ada");
    let listed = api.get("/tokens");
    assert_eq!(listed["items"][0]["id"].as_str(), id);
    assert!(!listed.to_string().contains(secret));

    // In a WebSocket: as a header, or as a script in a browser can.
    assert_eq!(api.websocket("/ws", &format!("{bearer}{MBWS}")).0, 101);
    let offered = format!("Sec-WebSocket-Protocol: MBWS.huawei.com, wharf.bearer.{secret}\r\n");
    let (status, mut stream) = api.websocket("/ws?tag=mine", &offered);
    assert_eq!(status, 101);
    let mine = || api.ask(&bearer, "GET", "/connections?user=me", None).1;
    eventually(|| mine()["items"].as_array().unwrap().iter().any(|it| it["tag"] == "mine"));

    let wrong = format!("Authorization: Bearer {secret}0\r\n");
    assert_eq!(api.ask(&wrong, "GET", "/whoami", None).0, 401);
    let path = format!("/tokens/{}", id.unwrap());
    assert_eq!(api.root("DELETE", &path, None).0, 204);
    assert_eq!(api.ask(&bearer, "GET", "/whoami", None).0, 401);
    // What it has let in is closed, with 3000 (Unauthorized).
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert!(
        rest.windows(4).any(|it| it[0] == 0x88 && it[2..] == 3000_u16.to_be_bytes()),
        "{rest:?}"
    );
}

#[test]
fn connections_are_seen_limited_and_cut() {
    let api = Api::start(&[]);
    api.put("/users/bob", json!({ "password": "secret", "limits": { "connections_max": 1 } }));
    let extra = format!("{}{MBWS}", basic("bob"));
    let (status, mut first) = api.websocket("/ws?tag=first", &extra);
    assert_eq!(status, 101);
    let of_bob = || api.get("/connections?user=bob&protocol=mbws")["items"].clone();
    eventually(|| of_bob().as_array().unwrap().len() == 1);
    let known = of_bob()[0].clone();
    assert_eq!((&known["tag"], &known["user"]), (&json!("first"), &json!("bob")));
    // One more is one too many: 1008.
    let (_, mut second) = api.websocket("/ws", &extra);
    let said = read_to_end(&mut second);
    assert!(said.as_bytes().starts_with(&[0x88]) || !said.is_empty(), "{said:?}");
    let session = known["session"].clone();
    // Cut: no Close comes, and the session stays.
    let path = format!("/connections/{}?abrupt=true", known["id"].as_str().unwrap());
    assert_eq!(api.root("DELETE", &path, None).0, 204);
    let mut rest = Vec::new();
    let _ = first.read_to_end(&mut rest);
    assert!(!rest.contains(&0x88), "{rest:?}");
    eventually(|| of_bob().as_array().unwrap().is_empty());
    if let Some(session) = session.as_str() {
        let waiting = api.get(&format!("/sessions/{session}"));
        assert!(waiting["resumable_until_ms"].is_u64(), "{waiting}");
        assert_eq!(api.root("DELETE", &format!("/sessions/{session}"), None).0, 204);
        assert_eq!(api.root("GET", &format!("/sessions/{session}"), None).0, 404);
    }
    assert_eq!(api.root("GET", "/connections/00", None).0, 404);
}

#[test]
fn a_removed_user_is_out() {
    let api = Api::start(&[]);
    api.put("/users/bob", json!({ "password": "secret" }));
    let (_, mut stream) = api.websocket("/ws", &format!("{}{MBWS}", basic("bob")));
    eventually(|| !api.get("/connections?user=bob")["items"].as_array().unwrap().is_empty());
    assert_eq!(api.root("DELETE", "/users/bob", None).0, 204);
    read_to_end(&mut stream);
    assert_eq!(api.ask(&basic("bob"), "GET", "/whoami", None).0, 401);
}

#[test]
fn policies_and_routes_apply_at_once() {
    let api = Api::start(&[]);
    api.put("/policies/small", json!({ "pattern": "q/**", "messages_max": 1 }));
    api.send("q%2Fa", "one");
    let full = api.root("POST", "/addresses/q%2Fa/messages", Some(json!({ "text": "two" })));
    assert_eq!((full.0, full.1["code"].as_str()), (409, Some("conflict")), "{}", full.1);
    let keeps =
        json!({ "pattern": "q/**", "messages_max": 1, "overflow": "drop-oldest", "priority": 1 });
    api.put("/policies/last", keeps);
    assert_eq!(api.get("/policies")["items"][0]["name"], "last");
    api.send("q%2Fa", "two");
    assert_eq!(api.get("/addresses/q%2Fa/messages")["items"][0]["text"], "two");
    assert_eq!(
        api.get("/addresses/wharf%2Fdead-letter/messages")["items"][0]["death"]["reason"],
        "queue-full"
    );
    assert_eq!(api.root("DELETE", "/policies/last", None).0, 204);
    assert_eq!(api.root("PUT", "/policies/file:0", Some(json!({ "pattern": "x" }))).0, 422);

    api.put("/routes/r", json!({ "kind": "fan-out", "address": "all", "to": ["x", "y"] }));
    api.send("all", "both");
    assert_eq!(api.get("/addresses/x")["messages_ready"], 1);
    assert_eq!(api.get("/addresses/y")["messages_ready"], 1);
    assert_eq!(api.root("GET", "/addresses/all", None).0, 404);
    let wrong = json!({ "kind": "alias", "address": "a", "to": [] });
    assert_eq!(api.root("PUT", "/routes/w", Some(wrong)).0, 422);
    let redirect = json!({ "kind": "redirect", "address": "eu/**", "url": "amqps://eu.example" });
    api.put("/routes/eu", redirect);
    assert_eq!(api.get("/routes")["items"].as_array().unwrap().len(), 2);
}

#[test]
fn definitions_are_carried_from_one_broker_to_another() {
    let one = Api::start(&[]);
    one.put("/users/bob", json!({ "password": "secret", "limits": { "sessions_max": 3 } }));
    one.put("/policies/p", json!({ "pattern": "q/**", "ttl_ms": 5000 }));
    one.put("/routes/r", json!({ "kind": "alias", "address": "a", "to": ["b"] }));
    one.put("/addresses/orders", json!({ "kind": "topic" }));
    let definitions = one.get("/definitions");

    let other = Api::start(&[]);
    let dry = other.root("PUT", "/definitions?dry_run=true", Some(definitions.clone()));
    assert_eq!(dry.0, 200, "{}", dry.1);
    let created = dry.1["created"].as_array().unwrap().len();
    assert_eq!(other.get("/policies")["items"], json!([]), "a dry run changes nothing");
    let applied = other.put("/definitions", definitions.clone());
    assert_eq!(applied["created"].as_array().unwrap().len(), created);
    assert_eq!(other.get("/definitions"), definitions);
    assert_eq!(other.ask(&basic("bob"), "GET", "/whoami", None).0, 200, "with its password");

    // Who has not seen the latest does not overwrite it.
    let stale = format!("{}If-Match: \"0\"\r\n", basic("root"));
    let refused = other.ask(&stale, "PUT", "/definitions", Some(&definitions));
    assert_eq!((refused.0, refused.1["code"].as_str()), (412, Some("changed")));
    let mut fewer = definitions;
    fewer["policies"] = json!([]);
    let pruned = other.put("/definitions?prune=true", fewer);
    assert_eq!(pruned["removed"], json!(["policy p"]));
}

#[test]
fn what_is_defined_outlives_the_process() {
    let scratch = Scratch::new();
    let start = || Broker::start(scratch.path(), &["--user", "root:secret"]);
    let api = Api { _scratch: Scratch::new(), broker: start() };
    api.put("/policies/p", json!({ "pattern": "q/**", "messages_max": 1 }));
    api.put("/users/bob", json!({ "password": "secret" }));
    let minted = api.root("POST", "/tokens", Some(json!({ "user": "bob" }))).1;
    api.broker.kill();
    let api = Api { _scratch: Scratch::new(), broker: start() };
    let bearer = format!("Authorization: Bearer {}\r\n", minted["secret"].as_str().unwrap());
    assert_eq!(api.ask(&bearer, "GET", "/whoami", None).1["user"], "bob");
    assert_eq!(api.get("/policies")["items"][0]["name"], "p");
    api.send("q%2Fa", "one");
    assert_eq!(
        api.root("POST", "/addresses/q%2Fa/messages", Some(json!({ "text": "two" }))).0,
        409
    );
}

/// 20 messages a second: 60 of them are not taken within the second in which they are sent.
#[test]
fn a_user_sends_no_faster_than_it_may() {
    use harness::socket::{Socket, connect, message, until_acknowledged};
    let api = Api::start(&[]);
    // `ada` is here before she has a limit.
    let mut socket = Socket::open(&api.broker, "/ws");
    connect(&mut socket);
    let rule = json!({ "pattern": "**", "send": true, "receive": true });
    let change =
        |max: u32| json!({ "permissions": [rule], "limits": { "messages_per_second_max": max } });
    api.put("/users/ada", change(20));
    let messages: Vec<String> =
        (0..60).map(|n| message("orders", &format!("{n:0>2000}"))).collect();
    socket.send_all(&messages);
    // The bucket was full: 20, and what one read brings on top. The rest comes with time.
    eventually(|| api.get("/overview")["messages_received_total"].as_u64() >= Some(20));
    assert!(api.get("/overview")["messages_received_total"].as_u64() < Some(60));
    until_acknowledged(&mut socket, 60);
    // Nothing is lost by waiting.
    assert_eq!(api.get("/addresses/orders")["messages_ready"], 60);
    api.put("/users/ada", change(0));
    socket.send_all(&messages);
    until_acknowledged(&mut socket, 120);
}
