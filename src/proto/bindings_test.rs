//! The types that cross into JavaScript, written as TypeScript.
//!
//! Law: `js/src/generated/core.ts` is what these Rust types say, to the letter. This test compares; with
//! `CHATWIRE_WRITE_BINDINGS=1` it writes. The public types of the npm package are checked against that file by tsc.

use std::fmt::Write;
use std::path::Path;

use ts_rs::{Config, TS};

use super::{api, model};

const FILE: &str = "js/src/generated/core.ts";
const HEAD: &str = "// Written by `CHATWIRE_WRITE_BINDINGS=1 cargo test -p chatwire bindings` from src/proto/api.rs and model.rs.\n\
                    import type { Attachment, Json } from \"../types.js\";\n";

fn declare<T: TS>(config: &Config, into: &mut String) {
    // Doc comments inside a declaration are told in Rust already.
    let declaration = T::decl(config);
    let mut text = declaration.as_str();
    let mut plain = String::new();
    while let Some((before, rest)) = text.split_once("/**") {
        plain.push_str(before.trim_end());
        plain.push(' ');
        text = rest.split_once("*/").map_or("", |(_, after)| after.trim_start());
    }
    plain.push_str(text);
    writeln!(into, "\nexport {plain}").expect("a String takes everything");
}

fn bindings() -> String {
    let config = Config::new();
    let mut out = HEAD.to_owned();
    declare::<model::Status>(&config, &mut out);
    declare::<model::Sender>(&config, &mut out);
    declare::<model::ErrorCode>(&config, &mut out);
    declare::<model::Failure>(&config, &mut out);
    declare::<model::ReplyTo>(&config, &mut out);
    declare::<model::Reaction>(&config, &mut out);
    declare::<model::ChangeKind>(&config, &mut out);
    declare::<model::QueuedChange>(&config, &mut out);
    declare::<model::Message>(&config, &mut out);
    declare::<model::ConversationKind>(&config, &mut out);
    declare::<model::Role>(&config, &mut out);
    declare::<model::Member>(&config, &mut out);
    declare::<model::Phase>(&config, &mut out);
    declare::<model::Conversation>(&config, &mut out);
    declare::<model::ConnectionState>(&config, &mut out);
    declare::<model::ConnectionSnapshot>(&config, &mut out);
    declare::<model::Delivery>(&config, &mut out);
    declare::<model::Gaps>(&config, &mut out);
    declare::<model::Guarantees>(&config, &mut out);
    declare::<api::Outcome>(&config, &mut out);
    declare::<api::WireData>(&config, &mut out);
    declare::<api::ViewUpdate>(&config, &mut out);
    declare::<api::Event>(&config, &mut out);
    out
}

#[test]
fn the_typescript_types_are_those_of_rust() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let expected = bindings();
    if std::env::var_os("CHATWIRE_WRITE_BINDINGS").is_some() {
        std::fs::write(&path, &expected).expect("the file can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "{FILE} is out of date: run CHATWIRE_WRITE_BINDINGS=1 cargo test -p chatwire bindings"
    );
}
