//! Pages that the broker brings along, out of the binary: `/demo`, `/console` and `/docs`.

use super::answers::{self, Answer};
use super::docs;

/// What scripts and styles on these pages may do: what comes from here, and nothing inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Path, media type, content.
type Asset = (&'static str, &'static str, &'static str);

/// A file of a folder of assets.
macro_rules! asset {
    ($path:literal, $kind:ident, $file:literal) => {
        ($path, $kind, include_str!(concat!("../../assets/", $file)))
    };
}

const ASSETS: &[Asset] = &[
    asset!("/console/", HTML, "console/index.html"),
    asset!("/console/console.css", CSS, "console/console.css"),
    asset!("/console/console.js", SCRIPT, "console/console.js"),
    asset!("/docs/style.css", CSS, "docs/style.css"),
    asset!("/demo", HTML, "demo/index.html"),
    asset!("/demo/style.css", CSS, "demo/style.css"),
    asset!("/demo/amqp-codec.js", SCRIPT, "demo/amqp-codec.js"),
    asset!("/demo/amqp.js", SCRIPT, "demo/amqp.js"),
    asset!("/demo/chart.js", SCRIPT, "demo/chart.js"),
    asset!("/demo/main.js", SCRIPT, "demo/main.js"),
    asset!("/demo/mbws.js", SCRIPT, "demo/mbws.js"),
    asset!("/demo/pane.js", SCRIPT, "demo/pane.js"),
    asset!("/demo/tally.js", SCRIPT, "demo/tally.js"),
    asset!("/demo/wire.js", SCRIPT, "demo/wire.js"),
    asset!("/demo/xmpp.js", SCRIPT, "demo/xmpp.js"),
];

/// The page, script or style of a path, if it is one.
pub(super) fn find(path: &str) -> Option<Answer> {
    let path = match path {
        "/demo/" => "/demo",
        "/console" => "/console/",
        "/docs" => "/docs/",
        path => path,
    };
    let asset = ASSETS.iter().find(|(known, ..)| *known == path);
    let (kind, content) = match asset {
        Some((_, kind, content)) => (*kind, content.as_bytes().to_vec()),
        None => (HTML, docs::find(path)?.into_bytes()),
    };
    let answer = answers::of(200, kind, content);
    let answer = answers::with_field(answer, "Content-Security-Policy", POLICY);
    Some(answers::with_field(answer, "Referrer-Policy", "no-referrer"))
}
