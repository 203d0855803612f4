//! Enters the first admin of a deployment and mails the activation link. Who deploys invokes it, as often as
//! needed: until that account exists, a mistyped address can be corrected; after that, nothing changes.

use gatehouse::aws::Env;
use gatehouse::domain::{
    Access, Activity, ActivityKind, Actor, CredentialState, Email, Language, PersonName, Role, Staff, StaffId, Team,
};
use gatehouse::event::{EventFunction, StartError};
use gatehouse::http::Gate;
use gatehouse::store::{FirstAdmin as Marker, Rev, Stored};
use serde::{Deserialize, Serialize};

/// The function.
pub struct FirstAdmin {
    gate: Gate,
}

/// Who the first admin shall be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    email: Email,
    name: PersonName,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The activation link is on its way.
    Invited,
    /// There is a first admin with an account, or with a link that works.
    Unchanged,
}

impl EventFunction for FirstAdmin {
    type Event = Request;
    type Outcome = Outcome;

    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { gate: Gate::connect(env).await? })
    }

    async fn handle(&self, request: Request) -> Result<Outcome, StartError> {
        let store = &self.gate.store;
        let Some(marker) = store.first_admin().await? else { return self.enter(request).await };
        let admin = store.staff(marker.staff_id).await?.ok_or("the first admin's record is missing")?;
        let works = match admin.access {
            Access::Invited { invitation } => invitation.expires_at > self.gate.now() && admin.email == request.email,
            _ => true,
        };
        if works { Ok(Outcome::Unchanged) } else { self.invite_anew(admin, request).await }
    }
}

impl FirstAdmin {
    async fn enter(&self, request: Request) -> Result<Outcome, StartError> {
        let now = self.gate.now();
        let staff = Staff {
            id: StaffId::new(now),
            name: request.name,
            email: request.email,
            roles: [Role::Admin].into(),
            on_duty: false,
            removed: false,
            access: Access::None,
            language: Language::default(),
            sessions: CredentialState::default(),
            last_seen_at: None,
            created_at: now,
        };
        let (staff, mail) = staff.invite(None, now)?;
        let transaction = self.gate.store.transaction().create(&Marker { staff_id: staff.id }).create(&staff);
        let transaction = transaction.create(&Team::default().with(&staff));
        let transaction = transaction.claim_email(&staff.email, staff.id.into()).mail(&mail);
        let activity = Activity::new(ActivityKind::StaffCreated, Actor::system(), now);
        transaction.activity(&activity).commit().await?;
        Ok(Outcome::Invited)
    }

    async fn invite_anew(&self, was: Stored<Staff>, request: Request) -> Result<Outcome, StartError> {
        let (now, rev): (_, Rev) = (self.gate.now(), was.rev);
        let old = was.email.clone();
        let staff = Staff { email: request.email, name: request.name, ..was.record };
        let (staff, mail) = staff.invite(None, now)?;
        let mut transaction = self.gate.store.transaction().save(rev, &staff).mail(&mail);
        if staff.email != old {
            let id = staff.id.into();
            transaction = transaction.release_email(&old, id).claim_email(&staff.email, id);
        }
        let activity = Activity::new(ActivityKind::Invited, Actor::system(), now);
        transaction.activity(&activity).commit().await?;
        Ok(Outcome::Invited)
    }
}
