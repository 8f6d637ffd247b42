//! What is said to a coordinator of transactions (AMQP 4.5).

use crate::codec::composite;
use crate::messaging::DeliveryState;
use crate::tag::TransactionId;
use crate::value::Value;

/// Asks for a transaction; the value of a message's body (AMQP 4.5.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declare {
    /// The global transaction that the new one is part of; none for a local one.
    pub global_id: Option<Value>,
}

composite! {
    Declare, "declare", 0x31, {
        global_id: optional any,
    }
}

/// Commits a transaction or rolls it back; the value of a message's body (AMQP 4.5.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discharge {
    /// The transaction.
    pub txn_id: TransactionId,
    /// The work has failed and is rolled back.
    pub fail: Option<bool>,
}

composite! {
    Discharge, "discharge", 0x32, {
        txn_id: mandatory tag,
        fail: optional boolean,
    }
}

/// The outcome of a [`Declare`]: there is a transaction now (AMQP 4.5.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The transaction.
    pub txn_id: TransactionId,
}

composite! {
    Declared, "declared", 0x33, {
        txn_id: mandatory tag,
    }
}

/// The state of a delivery that is part of a transaction (AMQP 4.5.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionalState {
    /// The transaction.
    pub txn_id: TransactionId,
    /// The outcome of the delivery if the transaction is committed.
    pub outcome: Option<DeliveryState>,
}

composite! {
    TransactionalState, "transactional-state", 0x34, {
        txn_id: mandatory tag,
        outcome: optional outcome,
    }
}

/// What a coordinator can do (AMQP 4.5.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capability {
    /// Local transactions.
    LocalTransactions,
    /// Distributed transactions.
    DistributedTransactions,
    /// Transactions that can be made distributed.
    PromotableTransactions,
    /// Several transactions at a time in one session.
    MultiTxnsPerSsn,
    /// One transaction in several sessions of one connection.
    MultiSsnsPerTxn,
}

impl Capability {
    /// All of them.
    pub const ALL: [Capability; 5] = [
        Capability::LocalTransactions,
        Capability::DistributedTransactions,
        Capability::PromotableTransactions,
        Capability::MultiTxnsPerSsn,
        Capability::MultiSsnsPerTxn,
    ];

    /// The symbol on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Capability::LocalTransactions => "amqp:local-transactions",
            Capability::DistributedTransactions => "amqp:distributed-transactions",
            Capability::PromotableTransactions => "amqp:promotable-transactions",
            Capability::MultiTxnsPerSsn => "amqp:multi-txns-per-ssn",
            Capability::MultiSsnsPerTxn => "amqp:multi-ssns-per-txn",
        }
    }

    /// The capability with this symbol.
    pub fn from_symbol(symbol: &str) -> Option<Self> {
        Capability::ALL.into_iter().find(|capability| capability.as_str() == symbol)
    }
}
