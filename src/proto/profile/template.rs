//! Payloads by example: a JSON text in which `$name` and `#name` stand for values.
//!
//! Law: a text that is `$name` becomes that value, `#name` the same as a number where it is a whole one (C6); a member or
//! element whose value is absent is left out; `$$` and `##` begin a text with one of them. Everything else is written as it
//! stands.

use crate::proto::wall_time;
use crate::proto::wire::json::{self, Kind, Object, RawValue};

/// What may stand for a name.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    Text(&'a str),
    /// JSON already.
    Json(&'a str),
    Flag(bool),
    /// Wall-clock milliseconds, as ISO 8601 text.
    Time(i64),
    /// A whole number.
    Int(i64),
}

/// What a template's names stand for; a name that is not here is absent.
pub type Values<'a> = [(&'static str, Value<'a>)];

/// The template with its values; `None`: all of it is absent.
pub fn render(template: &RawValue, values: &Values<'_>) -> Option<String> {
    let mut out = String::new();
    write(&mut out, template, values).then_some(out)
}

/// The names that a template asks for.
pub fn names_in(template: &RawValue, found: &mut dyn FnMut(&str)) {
    match json::kind(template) {
        Kind::String => {
            if let Some(text) = json::string(template)
                && let Some(name) = name_in(&text)
            {
                found(name);
            }
        }
        Kind::Array => json::array(template).iter().flatten().for_each(|item| names_in(item, found)),
        _ => {
            for (_, item) in Object::read(template).iter().flat_map(Object::iter) {
                names_in(item, found);
            }
        }
    }
}

/// `false`: absent, and nothing is written.
fn write(out: &mut String, template: &RawValue, values: &Values<'_>) -> bool {
    match json::kind(template) {
        Kind::String => return write_text(out, template, values),
        Kind::Array => {
            out.push('[');
            let start = out.len();
            for item in json::array(template).iter().flatten() {
                let before = out.len();
                separate(out, start);
                if !write(out, item, values) {
                    out.truncate(before);
                }
            }
            out.push(']');
        }
        Kind::Object => {
            out.push('{');
            let start = out.len();
            for (name, item) in Object::read(template).iter().flat_map(Object::iter) {
                let before = out.len();
                separate(out, start);
                json::push_json_string(out, name);
                out.push(':');
                if !write(out, item, values) {
                    out.truncate(before);
                }
            }
            out.push('}');
        }
        _ => out.push_str(template.get()),
    }
    true
}

/// The name that a text asks for.
fn name_in(text: &str) -> Option<&str> {
    text.strip_prefix(['$', '#']).filter(|name| !name.starts_with(['$', '#']))
}

fn separate(out: &mut String, start: usize) {
    if out.len() > start {
        out.push(',');
    }
}

fn write_text(out: &mut String, template: &RawValue, values: &Values<'_>) -> bool {
    let text = json::string(template).unwrap_or_default();
    let Some(name) = name_in(&text) else {
        match text.get(..2) {
            Some("$$" | "##") => json::push_json_string(out, text.get(1..).unwrap_or_default()),
            _ => out.push_str(template.get()),
        }
        return true;
    };
    let Some((_, value)) = values.iter().find(|(known, _)| *known == name) else { return false };
    match *value {
        Value::Text(text) if template.get().starts_with("\"#") && is_whole(text) => out.push_str(text),
        Value::Text(text) => json::push_json_string(out, text),
        Value::Json(text) => out.push_str(text),
        Value::Flag(flag) => out.push_str(if flag { "true" } else { "false" }),
        Value::Time(ms) => json::push_json_string(out, &wall_time::to_iso(ms)),
        Value::Int(number) => {
            if number < 0 {
                out.push('-');
            }
            json::push_uint(out, number.unsigned_abs());
        }
    }
    true
}

/// A whole number as JSON writes it, which reads back as the same text.
pub(super) fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = digits == "0" && digits.len() == text.len() || !digits.starts_with('0');
    is_plain && !digits.is_empty() && digits.len() < 20 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(template: &str) -> Option<String> {
        let values = [
            ("text", Value::Text("a \"b\"")),
            ("userId", Value::Text("7")),
            ("on", Value::Flag(true)),
            ("metadata", Value::Json("{\"a\":1}")),
            ("createdAt", Value::Time(1_500)),
            ("createdAtMs", Value::Int(-1_500)),
        ];
        render(json::parse(template, 0).unwrap(), &values)
    }

    #[test]
    fn names_are_values_and_the_rest_stays() {
        assert_eq!(
            rendered(r##"{"a":"$text","n":["#userId","$userId"],"m":"$metadata","on":"$on","k":"kept","x":[1,null]}"##).unwrap(),
            r#"{"a":"a \"b\"","n":[7,"7"],"m":{"a":1},"on":true,"k":"kept","x":[1,null]}"#
        );
        assert_eq!(
            rendered(r#"["$createdAt","$createdAtMs"]"#).unwrap(),
            r#"["1970-01-01T00:00:01.500Z",-1500]"#
        );
    }

    #[test]
    fn what_is_absent_is_left_out() {
        assert_eq!(rendered(r###"["##fff","$$5","a$b"]"###).unwrap(), r##"["#fff","$5","a$b"]"##);
        assert_eq!(
            rendered(r#"{"a":"$gone","b":1,"c":["$gone",2,"$gone"],"d":{"e":"$gone"}}"#).unwrap(),
            r#"{"b":1,"c":[2],"d":{}}"#
        );
        assert_eq!(rendered(r#""$gone""#), None);
    }

    #[test]
    fn c6_only_what_reads_back_as_the_same_is_a_number() {
        for (text, whole) in [
            ("0", true),
            ("7", true),
            ("-7", true),
            ("123456789012345", true),
            ("07", false),
            ("-0", false),
            ("1e3", false),
            ("", false),
            ("-", false),
            ("1.0", false),
            ("1234567890123456789", true),
            ("12345678901234567890", false),
        ] {
            assert_eq!(is_whole(text), whole, "{text}");
        }
    }

    #[test]
    fn the_names_of_a_template_are_found() {
        let mut found = Vec::new();
        let template = json::parse(r##"{"a":"$x","b":["#y",{"c":"$z"}],"d":"plain"}"##, 0).unwrap();
        names_in(template, &mut |name| found.push(name.to_owned()));
        assert_eq!(found, ["x", "y", "z"]);
    }
}
