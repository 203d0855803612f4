//! What a company's people have in the portal, in bytes: one item for each company.

use std::collections::BTreeMap;

use super::{Store, StoreError, Transaction, keys};
use crate::domain::{CompanyId, Usage};

/// More companies in a row than this were never merged into one another.
const MOST_MERGES: usize = 20;

impl Store {
    /// What a company's people have; nothing, if it was never counted, or has gone to another company.
    pub async fn usage(&self, company: CompanyId) -> Result<Option<Usage>, StoreError> {
        self.read_plain(keys::usage(company)).await
    }

    /// Gives back what files have counted, to the companies that theirs are by now.
    pub async fn give_back<'t>(
        &self,
        transaction: Transaction<'t>,
        files: impl IntoIterator<Item = (Option<CompanyId>, u64)>,
    ) -> Result<Transaction<'t>, StoreError> {
        let mut counted: BTreeMap<CompanyId, i64> = BTreeMap::new();
        for (company, bytes) in files {
            if let Some(company) = company {
                let sum = counted.entry(company).or_default();
                *sum = sum.saturating_add(i64::try_from(bytes).unwrap_or(i64::MAX));
            }
        }
        let mut by_now: BTreeMap<CompanyId, i64> = BTreeMap::new();
        for (company, bytes) in counted {
            *by_now.entry(self.merged(company).await?).or_default() += bytes;
        }
        Ok(by_now
            .into_iter()
            .fold(transaction, |transaction, (company, bytes)| transaction.return_bytes(company, bytes)))
    }

    /// The company that this one is by now.
    async fn merged(&self, mut company: CompanyId) -> Result<CompanyId, StoreError> {
        for _ in 0..MOST_MERGES {
            match self.company(company).await?.and_then(|company| company.merged_into) {
                Some(into) => company = into,
                None => break,
            }
        }
        Ok(company)
    }
}
