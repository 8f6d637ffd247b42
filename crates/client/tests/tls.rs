//! MBWS-006: the same over TLS, and whom the client trusts.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a test with sockets")]

mod support;

use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use support::Broker;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use wharf_client::{Client, Error, Message, Options, Tls};

/// A broker behind TLS, and its certificate in PEM form.
async fn start() -> (Broker, Vec<u8>) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .expect("a key for the certificate");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let (broker, listener) = Broker::bind().await;
    let accepting = broker.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, broker) = (acceptor.clone(), accepting.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    // WS-HC-06, HYBI-022: the client says whom it wants to talk to.
                    assert_eq!(stream.get_ref().1.server_name(), Some("localhost"));
                    broker.serve(stream).await;
                }
            });
        }
    });
    (broker, cert.pem().into_bytes())
}

fn options(broker: &Broker, host: &str, tls: Tls) -> Options {
    let mut options = Options::new(format!("wss://{host}:{}/ws", broker.port));
    options.tls = tls;
    options
}

#[tokio::test]
async fn a_known_certificate_is_trusted_for_its_name() {
    let (broker, pem) = start().await;
    let client = Client::connect(options(&broker, "localhost", Tls::Roots(pem.clone()))).await;
    client.expect("trusted").send(Message::text("orders", "x")).await.expect("stored");
    let other = Client::connect(options(&broker, "127.0.0.1", Tls::Roots(pem))).await;
    assert!(matches!(other, Err(Error::Tls(_))), "{other:?}");
}

#[tokio::test]
async fn strangers_are_not_trusted_unless_told_so() {
    let (broker, _) = start().await;
    let stranger = Client::connect(options(&broker, "localhost", Tls::PublicRoots)).await;
    assert!(matches!(stranger, Err(Error::Tls(_))), "{stranger:?}");
    let anybody = Client::connect(options(&broker, "localhost", Tls::Insecure)).await;
    anybody.expect("anybody is trusted").send(Message::text("a", "x")).await.expect("stored");
    let none = Client::connect(options(&broker, "localhost", Tls::Roots(Vec::new()))).await;
    assert!(matches!(none, Err(Error::Roots)), "{none:?}");
}
