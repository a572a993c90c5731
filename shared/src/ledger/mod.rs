//! Room: ledger.
