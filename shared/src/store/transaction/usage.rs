//! What is written of the bytes that a company's people have: counted with what announces them, given back with what
//! takes them out.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Change, Condition, OnFailure, Transaction, Write};
use crate::domain::{CompanyId, Quota, Usage};
use crate::store::keys;

/// The number in the item.
const BYTES: &str = "held_bytes";

impl Transaction<'_> {
    /// Counts what is announced, if there is room for it at this very moment. Nothing is read: the table decides.
    pub fn count_bytes(self, quota: &Quota) -> Self {
        match (quota.room(), i64::try_from(quota.bytes)) {
            (_, Ok(0)) => self,
            (Ok(room), Ok(bytes)) => {
                let there_is_room = format!("attribute_not_exists({BYTES}) OR {BYTES} <= :room");
                let condition = Condition::new(there_is_room, [(":room", AttributeValue::N(room.to_string()))]);
                self.add_bytes(quota.company, bytes, Some(condition), OnFailure::OverQuota(quota.exceeded()))
            }
            // More than there is room for at all.
            _ => Self { broken: Some(quota.exceeded().into()), ..self },
        }
    }

    /// So many bytes are not a company's any more.
    pub(in crate::store) fn return_bytes(self, company: CompanyId, bytes: i64) -> Self {
        if bytes == 0 { self } else { self.add_bytes(company, -bytes, None, OnFailure::Conflict) }
    }

    /// What a company's people have is another's: all of it, as it was read.
    pub fn move_usage(mut self, of: CompanyId, usage: Usage, into: CompanyId) -> Self {
        let as_read =
            Condition::new(format!("{BYTES} = :was"), [(":was", AttributeValue::N(usage.held_bytes.to_string()))]);
        let change = Change::Delete(keys::usage(of));
        self.writes.push(Write { change, condition: Some(as_read), on_failure: OnFailure::Conflict });
        self.return_bytes(into, -usage.held_bytes)
    }

    fn add_bytes(
        mut self,
        company: CompanyId,
        bytes: i64,
        condition: Option<Condition>,
        on_failure: OnFailure,
    ) -> Self {
        let change = Change::Add(keys::usage(company), BYTES, bytes);
        self.writes.push(Write { change, condition, on_failure });
        self
    }
}
