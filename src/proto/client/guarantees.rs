//! What may be promised against this backend, from what it gives.

use super::super::model::{Delivery, Gaps, Guarantees};
use super::super::outbox::Traits;
use super::super::profile::Capabilities;
use super::Client;

impl Client {
    /// What may be promised against this backend.
    pub fn guarantees(&self) -> Guarantees {
        let has = &self.capabilities;
        let mut because = Vec::new();
        let delivery = match (has.keys, has.answers) {
            (true, true) => Delivery::ExactlyOnce,
            (false, true) => {
                because.push(
                    "the server keeps no keys: a message whose answer is lost becomes failed(unconfirmed)"
                        .into(),
                );
                Delivery::OnceOrUnconfirmed
            }
            // Also with keys: what has left and is lost is not known to be, and not sent again.
            (_, false) => {
                because.push("the server gives no answers: a send is done when its frame has left".into());
                Delivery::AtMostOnce
            }
        };
        let unseen = !has.cursor && (self.profile.gives_marks() || self.profile.unlisted().is_some());
        if unseen {
            because.push("the server has no cursor: what is missed is not asked for".into());
        } else if !has.cursor {
            because.push(
                "the server has no cursor: missed messages are looked for by pages from the newest".into(),
            );
        }
        if !has.receipts {
            because.push("the server tells no receipts".into());
        }
        let gaps = match has.cursor {
            true => Gaps::Filled,
            false if unseen => Gaps::Unseen,
            false => Gaps::Shown,
        };
        Guarantees { delivery, order: true, gaps, receipts: has.receipts, because }
    }
}

pub(super) fn traits_of(capabilities: &Capabilities) -> Traits {
    Traits {
        keys: capabilities.keys,
        answers: capabilities.answers,
        ordered_window: capabilities.ordered_window,
    }
}
