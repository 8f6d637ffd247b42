//! Pages that the broker brings along, out of the binary: `/demo` and `/console`.

use super::answers::{self, Answer};

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
        path => path,
    };
    let (_, kind, content) = ASSETS.iter().find(|(known, ..)| *known == path)?;
    let answer = answers::of(200, kind, content.as_bytes().to_vec());
    let answer = answers::with_field(answer, "Content-Security-Policy", POLICY);
    Some(answers::with_field(answer, "Referrer-Policy", "no-referrer"))
}
