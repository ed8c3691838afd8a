//! A disk without room, as Chromium keeps its quota: what is put counts whole, whatever it replaces and whatever goes in
//! the same transaction; what only deletes always passes. What is deleted of the history goes before the rest, then.

use chatwire::proto::store::MemoryStore;
use chatwire::proto::{StoreFailure, StoreReply, StoreRequest, Table, Transaction};

pub fn write(records: &mut MemoryStore, transaction: &Transaction, limit_bytes: usize) -> StoreReply {
    let puts = transaction.puts.iter().map(|(_, bytes)| bytes.len());
    let grows: usize = puts.chain(transaction.adds.iter().map(Vec::len)).sum();
    let mut deletes = transaction.deletes.clone();
    deletes.retain(|id| id.table == Table::History);
    if grows > 0 && records.used_bytes() + grows > limit_bytes && !deletes.is_empty() {
        let first = Transaction { expect: transaction.expect.clone(), deletes, ..Transaction::default() };
        let reply = records.execute(&StoreRequest::Write(first));
        if !matches!(reply, StoreReply::Saved { .. }) {
            return reply;
        }
    }
    if grows > 0 && records.used_bytes() + grows > limit_bytes {
        return StoreReply::Failed { kind: StoreFailure::Quota, message: "no room".to_owned() };
    }
    records.execute(&StoreRequest::Write(transaction.clone()))
}
