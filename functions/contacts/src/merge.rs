//! Two companies that are one: what a customer has made itself by a link, and what the staff had entered before.

use gatehouse::domain::{Activity, ActivityKind, CompanyId, MergeStep, Task, TaskKind};
use gatehouse::http::{Effect, Operator, Problem, json};
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::Contacts;

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MergeInto {
    into: CompanyId,
}

#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct Merging {
    id: CompanyId,
    merged_into: CompanyId,
}

impl Contacts {
    /// From this moment on nothing is entered for the company; its people and shares follow by a task. Asked again, it
    /// answers the same.
    pub(crate) async fn merge(
        &self,
        staff: &Operator,
        id: CompanyId,
        merge: &MergeInto,
    ) -> Result<Effect<'_>, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let company = store.company(id).await?.ok_or_else(Problem::not_found)?;
        let response = json(StatusCode::ACCEPTED, &Merging { id, merged_into: merge.into })?;
        if company.merged_into == Some(merge.into) {
            return Ok(Effect::none(response));
        }
        let into = store.company(merge.into).await?;
        let into = into.ok_or_else(|| Problem::invalid_field("into", "is not known"))?;
        let (merged, grown) = company.record.clone().merge(into.record.clone())?;
        let activity = Activity::new(ActivityKind::CompanyMerged, staff.actor(), now).company(merge.into);
        let task = TaskKind::MergeCompany { company: id, into: merge.into, step: MergeStep::Recipients };
        let transaction = store.transaction().save(company.rev, &merged).save(into.rev, &grown);
        let transaction = transaction.move_domains(&company.domains, id, merge.into);
        let transaction = transaction.words(grown.id, Some(&into.record), &grown);
        let transaction = transaction.words(id, Some(&company.record), &merged);
        Ok(Effect::new(transaction.activity(&activity).create(&Task::new(task, now)), response))
    }
}
