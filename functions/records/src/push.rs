//! What the operator's own system says: how a record is, or that it is gone.
//!
//! Many are read together, decided on one by one, and written some in a transaction; what somebody else has changed
//! meanwhile is read and decided on again. A record that is as it was is not written.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, stream};
use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    Activity, ActivityKind, Addressee, CompanyId, CompanyRecord, EventAuthor, FieldChange, Language, Mail, NewRecord,
    OutboxMail, RecordChange, RecordLine, Reference, Right, Task, TaskKind,
};
use gatehouse::http::{ApiRequest, ApiResponse, Operator, Problem, json, no_content};
use gatehouse::store::{CommitError, KnownRecords, Stored, Transaction};
use lambda_http::http::StatusCode;

use crate::{Records, Shown};

/// A transaction has room for a hundred writes.
const MOST_WRITES: usize = 100;
/// So many transactions are under way at a time.
const AT_ONCE: usize = 4;
/// Who changes the same records at the same time is let through so often.
const MOST_TRIES: u32 = 10;

/// What is said of one record.
#[derive(Clone)]
pub(crate) struct Said<C> {
    /// Its place among those that were sent.
    pub(crate) place: usize,
    pub(crate) reference: Reference,
    pub(crate) change: C,
}

/// What became of it.
pub(crate) enum Outcome<T> {
    Created(T),
    Updated(T),
    Unchanged(T),
    Refused(Problem),
}

/// A record that is to be written, and the transaction that does it.
struct Written<'a, T: Shown> {
    said: Said<T::Change>,
    outcome: Outcome<T>,
    transaction: Transaction<'a>,
}

impl Records {
    pub(crate) async fn put<T: Shown>(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let staff = self.gate.staff(request, Right::ManageRecords).await?;
        let company: CompanyId = request.id("id")?;
        let said = Said { place: 0, reference: request.path_text("reference")?, change: request.json()? };
        let (status, record) = match self.push::<T>(&staff, company, vec![said]).await?.pop() {
            Some((_, Outcome::Created(record))) => (StatusCode::CREATED, record),
            Some((_, Outcome::Updated(record) | Outcome::Unchanged(record))) => (StatusCode::OK, record),
            Some((_, Outcome::Refused(problem))) => return Err(problem),
            None => return Err(Problem::not_found()),
        };
        json(status, &T::View::from(record))
    }

    /// Decides and writes until each is as it was said, or refused.
    pub(crate) async fn push<T: Shown>(
        &self,
        staff: &Operator,
        company: CompanyId,
        mut said: Vec<Said<T::Change>>,
    ) -> Result<Vec<(usize, Outcome<T>)>, Problem> {
        let mut done = Vec::with_capacity(said.len());
        for tried in 1.. {
            let (decided, written) = self.decide::<T>(staff, company, said).await?;
            done.extend(decided);
            said = Vec::new();
            let mut commits = stream::iter(chunks(written)).map(commit).buffer_unordered(AT_ONCE);
            while let Some((chunk, committed)) = commits.next().await {
                match committed {
                    Ok(()) => done.extend(chunk.into_iter().map(|(said, outcome)| (said.place, outcome))),
                    Err(CommitError::Conflict) if tried < MOST_TRIES => {
                        said.extend(chunk.into_iter().map(|(said, _)| said));
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            if said.is_empty() {
                break;
            }
            gatehouse::back_off(5, tried).await;
        }
        Ok(done)
    }

    /// What each comes to, as the table is now: what is settled, and what is to be written.
    async fn decide<T: Shown>(
        &self,
        staff: &Operator,
        company: CompanyId,
        said: Vec<Said<T::Change>>,
    ) -> Result<(Vec<(usize, Outcome<T>)>, Vec<Written<'_, T>>), Problem> {
        let (by, now) = (EventAuthor::new(staff.id, &staff.name), self.gate.now());
        let KnownRecords { records, known, .. } = self.known::<T>(company, &said).await?;
        let records: BTreeMap<Reference, Stored<T>> =
            records.into_iter().map(|stored| (stored.record.line().reference().clone(), stored)).collect();
        let (mut settled, mut written) = (Vec::new(), Vec::new());
        for said in said {
            let was = records.get(&said.reference);
            let new = match was {
                Some(was) => was.record.change(said.change.clone(), &known, now),
                None => T::create(NewRecord { company, reference: &said.reference, now }, said.change.clone(), &known),
            };
            match new {
                Err(refused) => settled.push((said.place, Outcome::Refused(refused.into()))),
                Ok(new) if was.is_some_and(|was| was.record == new) => {
                    settled.push((said.place, Outcome::Unchanged(new)));
                }
                Ok(new) => {
                    let transaction = self.gate.store.transaction().save_record(was, &new);
                    let event = T::event(was.map(|was| &was.record), &new, by.clone(), now);
                    let transaction = event.iter().fold(transaction, Transaction::event);
                    let transaction = tell_followers(transaction, was.map(|was| &was.record), &new, now);
                    let outcome = if was.is_some() { Outcome::Updated(new) } else { Outcome::Created(new) };
                    written.push(Written { said, outcome, transaction });
                }
            }
        }
        Ok((settled, written))
    }

    async fn known<T: Shown>(&self, company: CompanyId, said: &[Said<T::Change>]) -> Result<KnownRecords<T>, Problem> {
        let references = said.iter().map(|said| said.reference.clone()).collect();
        let sites = said.iter().filter_map(|said| said.change.site_reference().cloned()).collect();
        let assets = said.iter().filter_map(|said| said.change.asset_reference().cloned()).collect();
        let known = self.gate.store.known_records::<T>(company, references, sites, assets).await?;
        match known.company.as_ref().ok_or_else(Problem::not_found)?.merged_into {
            Some(into) => Err(Problem::company_merged(into)),
            None => Ok(known),
        }
    }

    /// What is gone leaves its reference where it was named: a job says at which site it was done, whatever became of that.
    /// What lies beside the record goes before it: if that breaks off, the record is still there to be deleted.
    pub(crate) async fn delete<T: Shown>(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let staff = self.gate.staff(request, Right::ManageRecords).await?;
        let company: CompanyId = request.id("id")?;
        let reference: Reference = request.path_text("reference").map_err(|_| Problem::not_found())?;
        let none = BTreeSet::new;
        let known = self.gate.store.known_records::<T>(company, [reference].into(), none(), none()).await?;
        if let Some(into) = known.company.as_ref().and_then(|company| company.merged_into) {
            return Err(Problem::company_merged(into));
        }
        let stored = known.records.first().ok_or_else(Problem::not_found)?;
        let id = stored.record.line().id();
        T::forget_history(&self.gate.store, id).await?;
        let what = FieldChange { before: Some(id.to_string()), ..FieldChange::of(T::Line::KIND.word()) };
        let activity = Activity::new(ActivityKind::RecordDeleted, staff.actor(), self.gate.now());
        let activity = activity.company(company).changed([what]);
        let mut transaction = self.gate.store.transaction().delete_record(stored).activity(&activity);
        if !stored.record.files().is_empty() {
            let files = TaskKind::DeleteJobFiles { files: stored.record.files().to_vec() };
            transaction = transaction.create(&Task::new(files, self.gate.now()));
        }
        transaction.commit().await?;
        Ok(no_content())
    }
}

/// Whoever follows a job hears how it goes on.
pub(crate) fn tell_followers<'a, T: Shown>(
    transaction: Transaction<'a>,
    was: Option<&T>,
    new: &T,
    now: Timestamp,
) -> Transaction<'a> {
    let Some(news @ Mail::JobNews { job, .. }) = was.and_then(|was| T::news(was, new)) else { return transaction };
    let to = Addressee::Followers { followers_of: job };
    transaction.mail(&OutboxMail::new(to, None, Language::default(), news, now))
}

type Chunk<'a, T> = (Vec<(Said<<T as CompanyRecord>::Change>, Outcome<T>)>, Transaction<'a>);

/// As many in a transaction as it has room for.
fn chunks<T: Shown>(written: Vec<Written<'_, T>>) -> Vec<Chunk<'_, T>> {
    let mut chunks: Vec<Chunk<'_, T>> = Vec::new();
    for Written { said, outcome, transaction } in written {
        match chunks.pop() {
            Some((mut several, before)) if before.len() + transaction.len() <= MOST_WRITES => {
                several.push((said, outcome));
                chunks.push((several, before.and(transaction)));
            }
            full => {
                chunks.extend(full);
                chunks.push((vec![(said, outcome)], transaction));
            }
        }
    }
    chunks
}

async fn commit<T: Shown>(
    (several, transaction): Chunk<'_, T>,
) -> (Vec<(Said<T::Change>, Outcome<T>)>, Result<(), CommitError>) {
    (several, transaction.commit().await)
}
