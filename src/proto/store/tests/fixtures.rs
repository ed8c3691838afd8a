//! Records of every format that was ever shipped still open, and today's format does not change unnoticed.
//!
//! A new format adds its files: run these tests once with `CHATWIRE_WRITE_FIXTURES=1`. Files that exist are never
//! written over.

use std::borrow::Cow;
use std::path::PathBuf;

use super::samples;
use crate::proto::store::format::{Step, open_with, seal_as};
use crate::proto::store::*;

fn fixture(format: u8, sample: &samples::Sample) -> Vec<u8> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/records");
    let path = directory.join(format!("v{format}-{}.bin", sample.name));
    if format == FORMAT_VERSION && !path.exists() && std::env::var_os("CHATWIRE_WRITE_FIXTURES").is_some() {
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(&path, &sample.bytes).unwrap();
    }
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn records_of_every_format_open() {
    for sample in samples::all() {
        for format in samples::since(sample.kind)..=FORMAT_VERSION {
            let bytes = fixture(format, &sample);
            assert_eq!((sample.decodes)(&bytes), Ok(true), "format {format}, {}", sample.name);
        }
    }
}

#[test]
fn the_layout_does_not_change_without_a_new_format() {
    for sample in samples::all() {
        assert_eq!(fixture(FORMAT_VERSION, &sample), sample.bytes, "{}", sample.name);
    }
}

#[test]
fn a_newer_format_says_so() {
    for sample in samples::all() {
        let bytes = seal_as(FORMAT_VERSION + 1, sample.kind, 1, b"of the future");
        let newer = RecordError::Newer { found: FORMAT_VERSION + 1, known: FORMAT_VERSION };
        assert_eq!((sample.decodes)(&bytes), Err(newer), "{}", sample.name);
        assert_eq!(record_version(&bytes), Some(1), "{}", sample.name);
    }
    let zero = seal_as(0, RecordKind::Segment, 1, b"");
    let error = RecordError::Malformed { what: "format 0; formats begin with 1" };
    assert_eq!(open(RecordKind::Segment, &zero), Err(error));
}

#[test]
fn steps_run_in_order_from_the_records_own_format() {
    let steps: &[Step] = &[
        |kind, payload| Ok([payload, &[kind as u8, 1]].concat()),
        |_, payload| Ok([payload, &[2]].concat()),
    ];
    for sample in samples::all().into_iter().filter(|sample| samples::since(sample.kind) == 1) {
        let first = fixture(1, &sample);
        let payload = &first[HEADER_BYTES..];
        let opened = open_with(steps, sample.kind, &first).unwrap();
        assert_eq!(*opened.payload, [payload, &[sample.kind as u8, 1, 2]].concat());
        assert_eq!(opened.version, samples::VERSION);

        let second = seal_as(2, sample.kind, 5, payload);
        let opened = open_with(steps, sample.kind, &second).unwrap();
        assert_eq!(*opened.payload, [payload, &[2]].concat());

        let third = seal_as(3, sample.kind, 5, payload);
        let opened = open_with(steps, sample.kind, &third).unwrap();
        assert!(matches!(opened.payload, Cow::Borrowed(untouched) if untouched == payload));

        let fourth = seal_as(4, sample.kind, 5, payload);
        let newer = RecordError::Newer { found: 4, known: 3 };
        assert_eq!(open_with(steps, sample.kind, &fourth), Err(newer));
    }
}

#[test]
fn a_step_may_refuse() {
    let error = RecordError::Malformed { what: "a field of format 1" };
    let bytes = seal_as(1, RecordKind::Index, 1, b"");
    let refused = open_with(
        &[|_, _| Err(RecordError::Malformed { what: "a field of format 1" })],
        RecordKind::Index,
        &bytes,
    );
    assert_eq!(refused, Err(error));
}
