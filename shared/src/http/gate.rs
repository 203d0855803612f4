//! The gate: who calls, and whether that person may. Every function but the public ones begins here.

use std::collections::BTreeSet;

use futures_util::join;

use super::call::ApiRequest;
use super::problem::Problem;
use crate::aws::Env;
use crate::clock::{Clock, SignedDuration, Timestamp};
use crate::domain::{
    Activity, ActivityKind, Actor, ActorId, ApiKey, Area, CompanyId, Contact, ContactId, Email, InboxRow, KEY_PREFIX,
    PersonId, PersonName, Quota, Right, Role, Scope, Settings, Share, ShareFile, ShareSeen, Staff, Token, Visibility,
};
use crate::session::{Claims, Keyring};
use crate::store::{Allowed, Hourly, Person, Received, Store, StoreError, Stored, Throttle};

/// What every function needs: the table, the published keys, the time.
#[derive(Debug, Clone)]
pub struct Gate {
    /// The table.
    pub store: Store,
    /// The published keys.
    pub keyring: Keyring,
    /// The time.
    pub clock: Clock,
}

/// A signed-in person, and the session that said so.
#[derive(Debug)]
pub struct Caller {
    /// The person.
    pub person: Person,
    /// The session.
    pub claims: Claims,
}

impl Caller {
    /// As the activity names the caller.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::new(self.person.id(), self.person.name())
    }
}

/// A contact as its session, or one of the staff, says; before its record is asked whether that still counts.
#[derive(Debug)]
pub struct Customer {
    /// Who.
    pub contact: ContactId,
    /// Of which company.
    pub company: CompanyId,
    session: Session,
}

/// Who it is that sees what a contact sees.
#[derive(Debug)]
enum Session {
    /// The contact.
    Own(Claims),
    /// One of the staff, who was let in and only looks.
    Viewed,
}

impl Customer {
    /// A contact whom one of the staff views as.
    pub(super) fn viewed(contact: &Contact) -> Self {
        Self { contact: contact.id, company: contact.company_id, session: Session::Viewed }
    }

    /// Whether a share is none of which whoever looks may not know: a customer's draft is its maker's alone.
    #[must_use]
    pub fn may_know_of(&self, share: &Share) -> bool {
        matches!(self.session, Session::Own(_)) || share.is_known_to_staff()
    }

    /// The contact's record, read beside what it asks for, if it may use the session.
    pub fn admit(&self, contact: Option<Stored<Contact>>) -> Result<Stored<Contact>, Problem> {
        let Session::Own(claims) = &self.session else { return contact.ok_or_else(Problem::not_found) };
        match contact.map(|contact| Person::Contact(Box::new(contact))) {
            Some(person) if !claims.accepted_by(&person) => Err(Problem::sign_in_required()),
            Some(Person::Contact(contact)) => Ok(*contact),
            _ => Err(Problem::sign_in_required()),
        }
    }

    /// As the activity names the contact.
    #[must_use]
    pub fn actor(contact: &Contact) -> Actor {
        Actor::new(PersonId::from(contact.id), &contact.name)
    }
}

/// A contact that has a share.
#[derive(Debug)]
pub struct ShareAccess {
    /// Who.
    pub contact: Contact,
    /// Its own row; its maker may have none.
    pub own: Option<Stored<InboxRow>>,
    /// Its company's row, where colleagues see each other's shares.
    pub colleagues: Option<InboxRow>,
    /// What it sees beyond its own.
    pub visibility: Visibility,
    /// What it has seen of the share so far.
    pub seen: Option<Stored<ShareSeen>>,
    /// Whether one of the staff views as the contact: that is no trace of the contact's.
    pub viewed: bool,
}

impl ShareAccess {
    /// The row by which it has the share.
    #[must_use]
    pub fn row(&self) -> Option<&InboxRow> {
        self.own.as_deref().or(self.colleagues.as_ref())
    }
}

/// What is read of a share, with more or less beside it.
pub trait ShareRead {
    /// The share.
    fn share(&self) -> &Share;
}

impl ShareRead for Stored<Share> {
    fn share(&self) -> &Share {
        self
    }
}

impl<T> ShareRead for (Stored<Share>, T) {
    fn share(&self) -> &Share {
        &self.0
    }
}

/// One of the staff, or an integration with its key: whoever works for the operator.
#[derive(Debug)]
pub struct Operator {
    /// Who.
    pub id: ActorId,
    /// By which name.
    pub name: PersonName,
    grants: Grants,
}

/// What somebody who works for the operator may do.
#[derive(Debug)]
enum Grants {
    Roles(BTreeSet<Role>),
    Scopes(BTreeSet<Scope>),
}

impl Operator {
    /// Whether this is allowed, beside what the route asks for.
    #[must_use]
    pub fn may(&self, right: Right) -> bool {
        match &self.grants {
            Grants::Roles(roles) => roles.iter().any(|role| role.grants(right)),
            Grants::Scopes(scopes) => scopes.iter().any(|scope| scope.grants(right)),
        }
    }

    /// As the activity names them.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::new(self.id, &self.name)
    }
}

/// A key's last use and last refusal are known to the hour.
const KEY_TOUCHED: SignedDuration = SignedDuration::from_hours(1);

impl Gate {
    /// Opens the connection to the table, by reading the published keys over it.
    pub async fn connect(env: &Env) -> Result<Self, StoreError> {
        let store = Store::new(env);
        let keyring = Keyring::open(store.clone(), env.clock.clone()).await?;
        Ok(Self { store, keyring, clock: env.clock.clone() })
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What the request's session says. It still has to be admitted by the person's record: see [`Self::authenticate`].
    pub async fn claims(&self, request: &ApiRequest) -> Result<Claims, Problem> {
        self.log_network(request).await?;
        let session = self.keyring.session(request.session_token()?).await?;
        let claims = session.map_err(|_| Problem::sign_in_required())?;
        request.evidence().actor.get_or_init(|| claims.sub.to_string());
        Ok(claims)
    }

    /// Lets the request's log line say from which network it came.
    async fn log_network(&self, request: &ApiRequest) -> Result<(), StoreError> {
        let network = self.keyring.hash_of_the_day("network", request.network()).await?;
        request.evidence().network.get_or_init(|| network);
        Ok(())
    }

    /// Lets the request's log line say for which account somebody tries to come in.
    pub async fn log_account(&self, request: &ApiRequest, email: &Email) -> Result<(), StoreError> {
        let account = self.keyring.hash_of_the_day("account", email.as_str()).await?;
        request.evidence().account.get_or_init(|| account);
        Ok(())
    }

    /// [`Self::claims`] where a contact's session goes one way, and staff and integrations ([`Self::staff`]) another. Staff
    /// who view as a contact go the contact's way.
    pub async fn customer(&self, request: &ApiRequest) -> Result<Option<Customer>, Problem> {
        if let Some(customer) = self.viewed_customer(request).await? {
            return Ok(Some(customer));
        }
        if request.session_token()?.starts_with(KEY_PREFIX) {
            return Ok(None);
        }
        let claims = self.claims(request).await?;
        Ok(match (claims.sub, claims.com) {
            (PersonId::Contact(contact), Some(company)) => {
                request.refuse_unheard()?;
                Some(Customer { contact, company, session: Session::Own(claims) })
            }
            _ => None,
        })
    }

    /// The contact behind the session, with what decides whether it has a share.
    pub async fn authorize_share(
        &self,
        customer: Customer,
        received: Received,
        share: Option<&Share>,
        files: &[ShareFile],
    ) -> Result<ShareAccess, Problem> {
        let contact = customer.admit(received.contact)?.record;
        if !contact.areas.has(Area::Files) {
            return Err(Problem::area_not_open("files"));
        }
        let share = share.filter(|share| customer.may_know_of(share)).ok_or_else(Problem::not_found)?;
        let (own, mut at_company) = (received.own, received.colleagues);
        if contact.company_id != customer.company {
            // Its company was merged into another since it signed in.
            at_company = self.store.company_row(share.id, contact.company_id).await?.map(|row| row.record);
        }
        let has_own =
            own.as_ref().is_some_and(|row| row.counts(share, &contact)) || share.made_by_contact() == Some(contact.id);
        let of_colleagues = |file: &ShareFile| file.of == Some(contact.company_id);
        // Read anew where it decides: what an admin has just forbidden is forbidden.
        let decides = at_company.is_some() && !has_own || files.iter().any(of_colleagues);
        let visibility = if decides { self.store.share_visibility().await? } else { Visibility::default() };
        let colleagues = at_company.filter(|_| visibility == Visibility::Company);
        share.open_to(&contact, own.as_deref(), colleagues.as_ref(), self.now())?;
        Ok(ShareAccess {
            contact,
            own,
            colleagues,
            visibility,
            seen: received.seen,
            viewed: matches!(customer.session, Session::Viewed),
        })
    }

    /// Finds what a link leads to. Who tries links that were never sent must wait; who has one that was sent never does,
    /// whatever others on the same network try.
    pub async fn resolve_link<T>(
        &self,
        request: &ApiRequest,
        find: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        self.log_network(request).await?;
        let (now, found) = (self.now(), find.await);
        if found.as_ref().is_err_and(Problem::is_link_unknown) {
            let counted = self.throttle(request).await?.unknown_link(request.network(), now).await?;
            counted.map_err(|until| Problem::too_many_requests(until, now))?;
        }
        found
    }

    /// What is counted against guessing and flooding.
    pub async fn throttle(&self, request: &ApiRequest) -> Result<Throttle<'_>, StoreError> {
        self.log_network(request).await?;
        self.counts().await
    }

    async fn counts(&self) -> Result<Throttle<'_>, StoreError> {
        Ok(Throttle::new(&self.store, self.keyring.count_keys().await?.of_counts()))
    }

    /// One more mail with an activation link to that address, if it was not sent too many in the last hour: to be counted
    /// with it.
    pub async fn invitation_to(&self, email: &Email) -> Result<Allowed, Problem> {
        self.one_more(Hourly::InvitationsTo(email.as_str())).await
    }

    /// One more of what is counted by the hour, if it was not done too often in the last: to be counted with it.
    pub async fn one_more(&self, what: Hourly<'_>) -> Result<Allowed, Problem> {
        let now = self.now();
        let allowed = self.counts().await?.hourly(what, now).await?;
        allowed.map_err(|until| Problem::too_many_requests(until, now))
    }

    /// What files of a customer count against its company's limit, if none is too large; nothing, if there are none, or
    /// the staff put them there. `field` is where they stand in the body, `size_of` where the size of each does.
    pub async fn quota(
        &self,
        company: Option<CompanyId>,
        sizes: impl IntoIterator<Item = u64>,
        field: &'static str,
        size_of: impl Fn(usize) -> String,
    ) -> Result<Option<Quota>, Problem> {
        let sizes: Vec<u64> = sizes.into_iter().collect();
        let Some(company) = company.filter(|_| !sizes.is_empty()) else { return Ok(None) };
        let Settings { customer_file_bytes, company_bytes: most, .. } = self.store.settings().await?;
        for (n, size) in sizes.iter().enumerate() {
            customer_file_bytes.hold(*size, size_of(n))?;
        }
        let bytes = sizes.into_iter().fold(0, u64::saturating_add);
        Ok(Some(Quota { company, bytes, most, field }))
    }

    /// Whether the person, as it is now, may use the session.
    pub fn authenticate(claims: Claims, person: Option<Person>) -> Result<Caller, Problem> {
        match person {
            Some(person) if claims.accepted_by(&person) => Ok(Caller { person, claims }),
            _ => Err(Problem::sign_in_required()),
        }
    }

    /// What tells the caller from all others before any record is read: the person of its session, or its key's hash.
    /// For cursors, which nobody else may use.
    pub async fn caller_name(&self, request: &ApiRequest) -> Result<String, Problem> {
        match request.session_token()?.strip_prefix(KEY_PREFIX) {
            Some(key) => {
                let key: Token = key.parse().map_err(|_| Problem::sign_in_required())?;
                Ok(key.hash().to_string())
            }
            None => Ok(self.claims(request).await?.sub.to_string()),
        }
    }

    /// Whoever is signed in. One read.
    pub async fn caller(&self, request: &ApiRequest) -> Result<Caller, Problem> {
        let caller = self.person(request).await?;
        request.refuse_unheard()?;
        Ok(caller)
    }

    async fn person(&self, request: &ApiRequest) -> Result<Caller, Problem> {
        let claims = self.claims(request).await?;
        let person = self.store.person(claims.sub).await?;
        Self::authenticate(claims, person)
    }

    /// Somebody who works for the operator and has that right. One read.
    pub async fn staff(&self, request: &ApiRequest, right: Right) -> Result<Operator, Problem> {
        if let Some(key) = request.session_token()?.strip_prefix(KEY_PREFIX) {
            return self.integration(request, key, right).await;
        }
        let Staff { id, name, roles, .. } = self.staff_in_person(request, |staff| staff.may(right)).await?;
        Ok(Operator { id: id.into(), name, grants: Grants::Roles(roles) })
    }

    /// Somebody of the staff who is allowed this, signed in: no integration. One read.
    pub async fn staff_in_person(
        &self,
        request: &ApiRequest,
        allowed: impl FnOnce(&Staff) -> bool,
    ) -> Result<Staff, Problem> {
        match self.person(request).await?.person {
            Person::Staff(staff) if allowed(&staff) => {
                request.refuse_unheard()?;
                Ok(staff.record)
            }
            _ => Err(Problem::forbidden("Your role does not include this.")),
        }
    }

    async fn integration(&self, request: &ApiRequest, key: &str, right: Right) -> Result<Operator, Problem> {
        self.log_network(request).await?;
        let token: Token = key.parse().map_err(|_| Problem::sign_in_required())?;
        let key = self.store.api_key(&token.hash()).await?.ok_or_else(Problem::sign_in_required)?;
        request.evidence().actor.get_or_init(|| key.id.to_string());
        if !key.works(self.now()) {
            self.record_refusal(&key).await?;
            return Err(Problem::sign_in_required());
        }
        if !key.may(right) {
            self.record_refusal(&key).await?;
            return Err(Problem::forbidden("The scopes of this key do not include this."));
        }
        request.refuse_unheard()?;
        if key.last_used_at.is_none_or(|at| at + KEY_TOUCHED < self.now()) {
            self.store.touch_key(&key, self.now()).await?;
        }
        let ApiKey { id, name, scopes, .. } = key.record;
        Ok(Operator { id: ActorId::Key(id), name, grants: Grants::Scopes(scopes) })
    }

    /// A key that is used for what it is not good for is in the wrong hands, or in a wrong script: once an hour the
    /// activity says so.
    async fn record_refusal(&self, key: &ApiKey) -> Result<(), Problem> {
        let now = self.now();
        if self.store.refuse_key(key, now, KEY_TOUCHED).await? {
            let activity = Activity::new(ActivityKind::KeyRefused, Actor::new(key.id, &key.name), now);
            self.store.note(&activity.target(key.id)).await?;
        }
        Ok(())
    }

    /// [`Self::staff`], and what the request asks for, read side by side. Who may not ask gets
    /// no other answer than that.
    pub async fn staff_and<T, E: Into<Problem>>(
        &self,
        request: &ApiRequest,
        right: Right,
        read: impl Future<Output = Result<T, E>>,
    ) -> Result<(Operator, T), Problem> {
        let (staff, read) = join!(self.staff(request, right), read);
        Ok((staff?, read.map_err(Into::into)?))
    }

    /// [`Self::staff_and`] for a share: one that the staff may not know of is not found.
    pub async fn staff_and_share<T: ShareRead, E: Into<Problem>>(
        &self,
        request: &ApiRequest,
        right: Right,
        read: impl Future<Output = Result<Option<T>, E>>,
    ) -> Result<(Operator, T), Problem> {
        let (staff, read) = self.staff_and(request, right, read).await?;
        let read = read.filter(|read| read.share().is_known_to_staff()).ok_or_else(Problem::not_found)?;
        Ok((staff, read))
    }
}
