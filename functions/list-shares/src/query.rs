//! What is asked for: words, filters, an order.

use std::fmt::Display;

use gatehouse::clock::Timestamp;
use gatehouse::domain::{CompanyId, ContactId, Direction, FileKind, InboxOf, Query, SenderId, state_word};
use gatehouse::http::{List, Problem};
use gatehouse::store::{InboxOrder, InboxQuery};
use serde::Deserialize;

/// The parameters of the list of shares.
#[derive(Deserialize, schemars::JsonSchema)]
pub(crate) struct ShareListQuery {
    q: Option<String>,
    #[serde(rename = "type")]
    kind: Option<FileKind>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    #[serde(default)]
    sort: Sort,
    unread: Option<bool>,
    contact_id: Option<ContactId>,
    company_id: Option<CompanyId>,
    state: Option<State>,
    /// By whom it was sent.
    from_id: Option<SenderId>,
    /// Whether the caller's side has received it or sent it.
    direction: Option<Direction>,
    /// Whether `total` is to be counted where it is not known without.
    total: Option<bool>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "ShareSort")]
enum Sort {
    #[default]
    #[serde(rename = "-received_at")]
    Newest,
    #[serde(rename = "received_at")]
    Oldest,
    #[serde(rename = "title")]
    Title,
    #[serde(rename = "-title")]
    TitleBackwards,
    #[serde(rename = "size")]
    Smallest,
    #[serde(rename = "-size")]
    Largest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "ShareState")]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Draft,
    Sent,
    Revoked,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Customer,
    Operator,
}

impl ShareListQuery {
    /// Whose inboxes there are is for the staff to ask.
    pub(crate) fn of_a_customer(&self) -> Result<(), Problem> {
        for (name, given) in [
            ("contact_id", self.contact_id.is_some()),
            ("company_id", self.company_id.is_some()),
            ("state", self.state.is_some()),
        ] {
            if given {
                return Err(Problem::invalid_field(name, "is for the staff"));
            }
        }
        Ok(())
    }

    /// A cursor of one query is none of another.
    pub(crate) fn list(&self, caller: &dyn Display) -> List {
        let Self { q, kind, from, to, sort, unread, state, from_id, direction, .. } = self;
        let query = format!("{q:?} {kind:?} {from:?} {to:?} {sort:?} {unread:?} {state:?} {from_id:?} {direction:?}");
        List::of(&[&"shares", caller, &self.of(), &query])
    }

    /// Whose inbox, where the staff ask.
    pub(crate) fn of(&self) -> InboxOf {
        match (self.contact_id, self.company_id) {
            (Some(contact), _) => InboxOf::Contact(contact),
            (None, Some(company)) => InboxOf::Company(company),
            (None, None) => InboxOf::Operator,
        }
    }

    pub(crate) fn inbox(&self, asks: Side) -> Result<InboxQuery, Problem> {
        if self.contact_id.is_some() && self.company_id.is_some() {
            return Err(Problem::invalid_field("company_id", "or contact_id, but not both"));
        }
        if self.from.zip(self.to).is_some_and(|(from, to)| from > to) {
            return Err(Problem::invalid_field("to", "must not be before from"));
        }
        let of = self.of();
        // In an inbox there is only what was sent.
        let state = self.state.filter(|state| of == InboxOf::Operator || *state != State::Sent);
        // What the staff have sent has come into a customer's inbox.
        let turned = asks == Side::Operator && of != InboxOf::Operator;
        let direction = self.direction.map(|direction| if turned { direction.turned() } else { direction });
        // Those that are likely to find the fewest come first.
        let marks = [
            self.from_id.map(SenderId::word),
            self.kind.map(|kind| kind.word().to_owned()),
            state.map(|state| state_word(&format!("{state:?}").to_lowercase())),
            direction.map(|direction| direction.word().to_owned()),
        ];
        let words = self.q.as_deref().and_then(Query::parse);
        let marked = |words, mark: String| Some(Query::with_mark(words, &mark));
        let words = marks.into_iter().flatten().fold(words, marked);
        let (order, descending) = match self.sort {
            Sort::Newest => (InboxOrder::Time, true),
            Sort::Oldest => (InboxOrder::Time, false),
            Sort::Title => (InboxOrder::Title, false),
            Sort::TitleBackwards => (InboxOrder::Title, true),
            Sort::Smallest => (InboxOrder::Size, false),
            Sort::Largest => (InboxOrder::Size, true),
        };
        let (unread, counted) = (self.unread == Some(true), self.total == Some(true));
        Ok(InboxQuery { words, unread, from: self.from, to: self.to, order, descending, counted })
    }
}
