//! The operator's people.

use std::collections::BTreeSet;

use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    Access, Activity, ActivityKind, Actor, CredentialState, Email, FieldChange, Language, PersonName, Right, Role,
    Staff as Member, StaffId, Team,
};
use gatehouse::http::{ApiRequest, ApiResponse, Effect, List, Operator, Problem, json, no_content};
use gatehouse::store::Stored;
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::{Staff, words};

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "NewStaffMember")]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMember {
    name: PersonName,
    email: Email,
    roles: BTreeSet<Role>,
    #[serde(default)]
    on_duty: bool,
    #[serde(default)]
    language: Language,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "ChangeStaffMember")]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeMember {
    roles: BTreeSet<Role>,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Duty {
    on_duty: bool,
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "StaffMember")]
pub(crate) struct MemberView {
    id: StaffId,
    name: PersonName,
    email: Email,
    roles: BTreeSet<Role>,
    on_duty: bool,
    #[schemars(extend("enum" = gatehouse::domain::Access::WORDS))]
    access: &'static str,
    language: Language,
    last_seen_at: Option<Timestamp>,
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        let access = member.access.word();
        let Member { id, name, email, roles, on_duty, language, last_seen_at, .. } = member;
        Self { id, name, email, roles, on_duty, access, language, last_seen_at }
    }
}

fn some_role(roles: &BTreeSet<Role>) -> Result<(), Problem> {
    if roles.is_empty() { Err(Problem::invalid_field("roles", "must name at least one role")) } else { Ok(()) }
}

/// What a person may do now, and what it was before.
fn changes(was: &Member, now: &Member) -> Vec<FieldChange> {
    let roles = |member: &Member| if member.removed { String::new() } else { words(&member.roles) };
    let changes = [
        FieldChange::between("roles", roles(was), roles(now)),
        FieldChange::between("on_duty", was.on_duty.to_string(), now.on_duty.to_string()),
    ];
    changes.into_iter().flatten().collect()
}

impl Staff {
    /// Entered and invited at once: a person of the staff without an account is of no use.
    pub(crate) async fn enter(&self, admin: &Operator, new: &NewMember) -> Result<Effect<'_>, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        some_role(&new.roles)?;
        let member = Member {
            id: StaffId::new(now),
            name: new.name.clone(),
            email: new.email.clone(),
            roles: new.roles.clone(),
            on_duty: new.on_duty,
            access: Access::None,
            removed: false,
            language: new.language.clone(),
            sessions: CredentialState::default(),
            last_seen_at: None,
            created_at: now,
        };
        let (member, mail) = member.invite(admin.id.staff(), now)?;
        let team = store.team().await?.ok_or_else(|| Problem::internal("there is no team"))?;
        let allowed = self.gate.invitation_to(&member.email).await?;
        let roles = FieldChange::between("roles", String::new(), words(&member.roles));
        let activity = Activity::new(ActivityKind::StaffCreated, admin.actor(), now);
        let activity = activity.target(member.id).changed(roles);
        let response = json(StatusCode::CREATED, &MemberView::from(member.clone()))?;
        let transaction =
            store.transaction().create(&member).save(team.rev, &team.record.clone().with(&member)).mail(&mail);
        let transaction = transaction.claim_email(&member.email, member.id.into()).activity(&activity).counted(allowed);
        Ok(Effect::new(transaction, response))
    }

    pub(crate) async fn list(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let staff = self.gate.staff(request, Right::ReadStaff).await?;
        let list = List::of(&[&"staff", &staff.id]);
        let page = self.gate.page(&list, &request.query()?).await?;
        let page = self.gate.store.all_staff(page).await?;
        json(StatusCode::OK, &self.gate.list(&list, page, MemberView::from).await?)
    }

    pub(crate) async fn change(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let admin = self.gate.staff(request, Right::ManageStaff).await?;
        let change: ChangeMember = request.json()?;
        some_role(&change.roles)?;
        let stored = self.member(request).await?;
        // Other rights, other sessions: what was open was opened with the old ones (ASVS 5.0, 7.4.2).
        let member = Member {
            roles: change.roles.clone(),
            sessions: stored.record.sessions.clone().without_all(),
            ..stored.record.clone()
        };
        self.save(&stored, member, ActivityKind::StaffChanged, admin.actor()).await
    }

    pub(crate) async fn switch_duty(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        // The person itself, and the admins.
        let is_own = |staff: &Member| request.id("id").is_ok_and(|id: StaffId| id == staff.id);
        let allowed = |staff: &Member| staff.may(Right::ManageStaff) || is_own(staff);
        let caller = self.gate.staff_in_person(request, allowed).await?;
        let duty: Duty = request.json()?;
        let stored = self.member(request).await?;
        let member = Member { on_duty: duty.on_duty, ..stored.record.clone() };
        self.save(&stored, member, ActivityKind::StaffChanged, Actor::new(caller.id, &caller.name)).await
    }

    /// Until the account exists, its link can be sent again; the last one dies.
    pub(crate) async fn invite_again(&self, admin: &Operator, request: &ApiRequest) -> Result<Effect<'_>, Problem> {
        let now = self.gate.now();
        let stored = self.member(request).await?;
        let (member, mail) = stored.record.clone().invite(admin.id.staff(), now)?;
        let allowed = self.gate.invitation_to(&member.email).await?;
        let activity = Activity::new(ActivityKind::Invited, admin.actor(), now).target(member.id);
        let transaction = self.gate.store.transaction().save(stored.rev, &member).mail(&mail).counted(allowed);
        let response = json(StatusCode::ACCEPTED, &MemberView::from(member))?;
        Ok(Effect::new(transaction.activity(&activity), response))
    }

    pub(crate) async fn remove(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let admin = self.gate.staff(request, Right::ManageStaff).await?;
        let stored = self.member(request).await?;
        let member = stored.record.clone().remove();
        self.save(&stored, member, ActivityKind::StaffRemoved, admin.actor()).await?;
        Ok(no_content())
    }

    async fn member(&self, request: &ApiRequest) -> Result<Stored<Member>, Problem> {
        let stored = self.gate.store.staff(request.id("id")?).await?;
        stored.filter(|member| !member.removed).ok_or_else(Problem::not_found)
    }

    /// Saves a person and the team together; of admins with an account one must be left.
    async fn save(
        &self,
        was: &Stored<Member>,
        member: Member,
        kind: ActivityKind,
        by: Actor,
    ) -> Result<ApiResponse, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let team = store.team().await?.ok_or_else(|| Problem::internal("there is no team"))?;
        let after = team.record.clone().with(&member);
        if after.admins != team.admins {
            self.some_admin_is_left(&after).await?;
        }
        let mut transaction = store.transaction().save(was.rev, &member).save(team.rev, &after);
        if member.removed {
            transaction = transaction.release_email(&member.email, member.id.into());
        }
        let activity = Activity::new(kind, by, now).target(member.id).changed(changes(was, &member));
        transaction.activity(&activity).commit().await?;
        json(StatusCode::OK, &MemberView::from(member))
    }

    async fn some_admin_is_left(&self, team: &Team) -> Result<(), Problem> {
        let admins = self.gate.store.staff_of(team.admins.iter().copied().collect()).await?;
        if admins.iter().any(|admin| admin.access.is_active()) { Ok(()) } else { Err(Problem::last_admin()) }
    }
}
