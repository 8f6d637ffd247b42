//! SASL by XEP-0388, with a resource (XEP-0386) and a managed stream (XEP-0198) in one exchange.

use crate::trace::{Trace, config, offer};
use wharf_sasl::ChannelBinding;
use wharf_xmpp::server::Offer;

fn opened() -> Trace {
    let mut config = config();
    config.carbons = true;
    let mut trace = Trace::with(config, Offer { sasl2: true, ..offer() });
    trace.play("
        C: <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.com' from='tim@example.com' version='1.0'/>
        E: opening to=example.com from=tim@example.com
        A: accept
        S: <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.com' to='tim@example.com' id='*' xml:lang='en' version='1.0'/>
        S: <stream:features xmlns:stream='http://etherx.jabber.org/streams'>\
<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-256</mechanism><mechanism>PLAIN</mechanism><mechanism>ANONYMOUS</mechanism></mechanisms>\
<authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-256</mechanism><mechanism>PLAIN</mechanism><mechanism>ANONYMOUS</mechanism>\
<inline><bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:sm:3'/><feature var='urn:xmpp:carbons:2'/><feature var='urn:xmpp:csi:0'/></inline></bind><sm xmlns='urn:xmpp:sm:3'/></inline></authentication></stream:features>");
    trace
}

#[test]
fn a_login_alone_needs_no_restart() {
    // XWS-A11.
    opened().play("
        C: <authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>AHRpbQBzZWNyZXQ=</initial-response></authenticate>
        E: question password tim secret
        A: is tim
        S: <success xmlns='urn:xmpp:sasl:2'><authorization-identifier>tim@example.com</authorization-identifier></success>
        S: $features
        E: authenticated tim tim@example.com PLAIN
        C: <iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>
        E: bind
        A: bind r1
        S: <iq xmlns='jabber:client' type='result' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>tim@example.com/r1</jid></bind></iq>");
}

#[test]
fn a_resource_and_a_managed_stream_come_with_it() {
    // XEP-0386 3.2, XEP-0198 9.
    let mut trace = opened();
    trace.play("
        C: <authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>AHRpbQBzZWNyZXQ=</initial-response>\
<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'><software>AwesomeXMPP</software><device>Kiva's Phone</device></user-agent>\
<bind xmlns='urn:xmpp:bind:0'><tag>AwesomeXMPP</tag><enable xmlns='urn:xmpp:carbons:2'/><enable xmlns='urn:xmpp:sm:3' resume='1'/><inactive xmlns='urn:xmpp:csi:0'/></bind></authenticate>
        E: question password tim secret
        A: is tim
        E: authenticated tim tim@example.com PLAIN agent=d4565fa7-4d72-4749-b3d3-740edbf87770,AwesomeXMPP,Kiva's Phone
        E: bind with-login carbons");
    assert!(trace.generated.starts_with("AwesomeXMPP/") && trace.generated.len() > 30);
    trace.generated = "AwesomeXMPP/x".to_owned();
    trace.play("
        A: bind-with <metadata xmlns='urn:xmpp:mam:2'/>
        E: enable resume
        A: enable s1 60 [::1]:5222
        S: <success xmlns='urn:xmpp:sasl:2'><authorization-identifier>tim@example.com/AwesomeXMPP/x</authorization-identifier>\
<bound xmlns='urn:xmpp:bind:0'><metadata xmlns='urn:xmpp:mam:2'/><enabled xmlns='urn:xmpp:sm:3' id='s1' resume='true' max='60' location='[::1]:5222'/></bound></success>
        S: <stream:features xmlns:stream='http://etherx.jabber.org/streams'><csi xmlns='urn:xmpp:csi:0'/></stream:features>
        E: active false
        C: <presence xmlns='jabber:client'/>
        E: 1 <presence xmlns='jabber:client'/>
        A: send 1 <message xmlns='jabber:client'/>
        S: <message xmlns='jabber:client'/>");
}

#[test]
fn a_stream_is_resumed_instead() {
    // XEP-0198 9.2: nothing is bound, and there are no features.
    opened().play("
        C: <authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>AHRpbQBzZWNyZXQ=</initial-response>\
<resume xmlns='urn:xmpp:sm:3' previd='s1' h='4'/><bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:xmpp:sm:3'/></bind></authenticate>
        E: question password tim secret
        A: is tim
        E: authenticated tim tim@example.com PLAIN
        E: resume s1 h=4
        A: resume tim@example.com/old 9 6 3
        S: <success xmlns='urn:xmpp:sasl:2'><authorization-identifier>tim@example.com/old</authorization-identifier><resumed xmlns='urn:xmpp:sm:3' previd='s1' h='9'/></success>
        A: send 5 <message xmlns='jabber:client' id='5'/>
        S: <message xmlns='jabber:client' id='5'/>
        C: <message xmlns='jabber:client'/>
        E: 10 <message xmlns='jabber:client'/>");
}

#[test]
fn a_stream_that_is_gone_is_replaced() {
    // XEP-0386 3.2: the failure is told, and the rest of the request counts.
    opened().play("
        C: <authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>AHRpbQBzZWNyZXQ=</initial-response>\
<resume xmlns='urn:xmpp:sm:3' previd='s1' h='4'/><bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:xmpp:sm:3'/></bind></authenticate>
        E: question password tim secret
        A: is tim
        E: authenticated tim tim@example.com PLAIN
        E: resume s1 h=4
        A: refuse-resume item-not-found 9
        E: bind with-login
        A: bind r
        E: enable
        A: refuse-enable internal-server-error
        S: <success xmlns='urn:xmpp:sasl:2'><authorization-identifier>tim@example.com/r</authorization-identifier>\
<failed xmlns='urn:xmpp:sm:3' h='9'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>\
<bound xmlns='urn:xmpp:bind:0'><failed xmlns='urn:xmpp:sm:3'><internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed></bound></success>
        S: <stream:features xmlns:stream='http://etherx.jabber.org/streams'><sm xmlns='urn:xmpp:sm:3'/><csi xmlns='urn:xmpp:csi:0'/></stream:features>");
}

#[test]
fn a_resource_that_is_refused_can_be_bound_later() {
    opened().play("
        C: <authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>AHRpbQBzZWNyZXQ=</initial-response><bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:xmpp:sm:3'/></bind></authenticate>
        E: question password tim secret
        A: is tim
        E: authenticated tim tim@example.com PLAIN
        E: bind with-login
        A: refuse-bind resource-constraint
        S: <success xmlns='urn:xmpp:sasl:2'><authorization-identifier>tim@example.com</authorization-identifier></success>
        S: $features");
}

#[test]
fn failures_are_those_of_rfc_6120_in_another_element() {
    // XEP-0388 2.5.2: and nothing of the rest of the request is done.
    opened().play("
        C: <authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>AHRpbQBzZWNyZXQ=</initial-response><resume xmlns='urn:xmpp:sm:3' previd='s1' h='4'/></authenticate>
        E: question password tim secret
        A: denied
        S: <failure xmlns='urn:xmpp:sasl:2'><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>
        E: login failed PLAIN: unknown user or wrong password
        C: <authenticate xmlns='urn:xmpp:sasl:2' mechanism='CRAM-MD5'/>
        S: <failure xmlns='urn:xmpp:sasl:2'><invalid-mechanism xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>");
    opened().play("
        C: <authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>?</initial-response></authenticate>
        S: <failure xmlns='urn:xmpp:sasl:2'><incorrect-encoding xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>");
}

#[test]
fn from_and_who_logs_in_are_the_same() {
    // XEP-0388 2.2.
    opened().play("
        C: <authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>AHRpbQBzZWNyZXQ=</initial-response></authenticate>
        E: question password tim secret
        A: is tom
        S: <failure xmlns='urn:xmpp:sasl:2'><invalid-authzid xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>");
}

#[test]
fn from_is_of_the_host() {
    // XEP-0388 2.1.
    Trace::with(config(), Offer { sasl2: true, ..offer() }).play("
        C: <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.com' from='tim@other.example' version='1.0'/>
        E: opening to=example.com from=tim@other.example
        A: accept
        S: <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.com' to='tim@other.example' id='*' xml:lang='en' version='1.0'/>
        S: error invalid-from
        S: $close
        C: $close
        E: closed by Local code=1000 clean violation=from is not who logged in");
}

#[test]
fn within_a_login_there_are_responses_alone() {
    // XEP-0388 2.3.
    for message in [
        "<presence xmlns='jabber:client'/>",
        "<enable xmlns='urn:xmpp:sm:3'/>",
        "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'/>",
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>",
        "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
    ] {
        let mut trace = opened();
        trace.play(
            "
            C: <authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'/>
            S: <challenge xmlns='urn:xmpp:sasl:2'/>",
        );
        trace.hear(message.as_bytes());
        trace.play_ignoring_events(
            "
            S: error not-authorized
            S: $close",
        );
    }
    opened().play("
        C: <authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'/>
        S: <challenge xmlns='urn:xmpp:sasl:2'/>
        C: <abort xmlns='urn:xmpp:sasl:2'><text>no</text></abort>
        S: <failure xmlns='urn:xmpp:sasl:2'><aborted xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>");
}

#[test]
fn there_is_one_login() {
    // XEP-0388 7.10.
    opened().play("
        C: <authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>AHRpbQBzZWNyZXQ=</initial-response></authenticate>
        E: question password tim secret
        A: is tim
        S: <success xmlns='urn:xmpp:sasl:2'><authorization-identifier>tim@example.com</authorization-identifier></success>
        S: $features
        E: authenticated tim tim@example.com PLAIN
        C: <authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'/>
        S: error bad-format
        S: $close
        C: $close
        E: closed by Local code=1000 clean violation=unexpected here: a second login");
}

#[test]
fn where_it_is_not_offered_it_is_not_known() {
    let mut trace = Trace::new();
    trace.play(
        "
        C: $open
        E: opening to=example.com
        A: accept
        S: $opened
        S: $logins",
    );
    trace.hear(b"<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'/>");
    trace.play_ignoring_events(
        "
        S: error unsupported-stanza-type
        S: $close",
    );
}

#[test]
fn types_of_channel_binding_are_announced() {
    // XEP-0440.
    let mut offer = Offer { sasl2: true, ..offer() };
    offer.mechanisms = vec![wharf_sasl::Mechanism::ScramPlus(wharf_sasl::Hash::Sha256)];
    offer.settings.channel_bindings = vec![ChannelBinding::tls_exporter([3; 32])];
    let mut config = config();
    config.stream_management = false;
    config.features = "<ver xmlns='urn:xmpp:features:rosterver'/>".to_owned();
    Trace::with(config, offer).play("
        C: $open
        E: opening to=example.com
        A: accept
        S: $opened
        S: <stream:features xmlns:stream='http://etherx.jabber.org/streams'>\
<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-256-PLUS</mechanism></mechanisms>\
<authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-256-PLUS</mechanism>\
<inline><bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:csi:0'/></inline></bind></inline></authentication>\
<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/></sasl-channel-binding></stream:features>");
}
