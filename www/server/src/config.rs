//! What can be set, by flags and by environment.

use std::{net::IpAddr, path::PathBuf};

use lexopt::{Arg, Parser, ValueExt};

/// Help text of `--help`.
pub const USAGE: &str = "\
chatwire-server: the reference backend of chatwire

  --port N               port; 0 picks a free one (8787)
  --host ADDRESS         address to listen on (127.0.0.1)
  --db PATH              SQLite file, its folder is made (./.data/chatwire.db)
  --static DIR           serve a built web application from here
  --token-ttl SECONDS    life of a token, fractions allowed (3600)
  --refresh-grace SECONDS  how long an expired token can still be refreshed (604800)
  --jwt-secret TEXT      key of the tokens (CHATWIRE_JWT_SECRET; else random, kept in the database)
  --cors-origin ORIGIN   allowed origin, may be repeated; * allows all (any port of localhost)
  --rate-per-s N         writes a user may make a second, in the long run (200)
  --rate-burst N         writes a user may make at once (1000)
  --max-text N           characters of a message (10000)
  --max-payload N        bytes of a frame or a request (1000000)
  --ping-interval-ms N   Engine.IO heartbeat (25000)
  --ping-timeout-ms N    Engine.IO heartbeat (20000)
  --idle-timeout-ms N    silence after which a Phoenix socket is closed (60000)
  --max-channels N       topics a Phoenix socket may have joined (2000)
  --public-url URL       how browsers reach the server, for links in messages (where it listens)
  --script-delay-ms N    how long companions and the assistant take for each step (400)
  --help, --version

Environment: CHATWIRE_JWT_SECRET, CHATWIRE_LOG (error|warn|info|debug|trace), CHATWIRE_LOG_FORMAT (compact|json)";

/// Everything that can be set. Durations are milliseconds, sizes bytes unless their name says otherwise.
#[derive(Debug, Clone)]
pub struct Config {
    pub host: IpAddr,
    /// 0 picks a free port.
    pub port: u16,
    pub db: PathBuf,
    pub static_dir: Option<PathBuf>,
    pub token_ttl_ms: i64,
    pub refresh_grace_ms: i64,
    pub jwt_secret: Option<String>,
    /// Empty: any port of localhost. `*`: all.
    pub cors_origins: Vec<String>,
    pub rate_per_s: u32,
    pub rate_burst: u32,
    pub max_text_chars: usize,
    pub max_payload_bytes: usize,
    pub ping_interval_ms: u64,
    pub ping_timeout_ms: u64,
    /// Silence in both directions after which a Phoenix socket is closed.
    pub idle_timeout_ms: u64,
    /// Topics a Phoenix socket may have joined.
    pub max_channels: usize,
    /// Without a slash at its end.
    pub public_url: Option<String>,
    /// Between the steps of what scripted companions and the assistant do.
    pub script_delay_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            host: IpAddr::from([127, 0, 0, 1]),
            port: 8787,
            db: PathBuf::from("./.data/chatwire.db"),
            static_dir: None,
            token_ttl_ms: 3_600_000,
            refresh_grace_ms: 7 * 24 * 3_600_000,
            jwt_secret: None,
            cors_origins: Vec::new(),
            rate_per_s: 200,
            rate_burst: 1000,
            max_text_chars: 10_000,
            max_payload_bytes: 1_000_000,
            ping_interval_ms: 25_000,
            ping_timeout_ms: 20_000,
            idle_timeout_ms: 60_000,
            max_channels: 2_000,
            public_url: None,
            script_delay_ms: 400,
        }
    }
}

/// What the flags ask for.
#[derive(Debug)]
pub enum Invocation {
    Run(Box<Config>),
    Help,
    Version,
}

/// Reads flags (without the program's name) over the defaults and `CHATWIRE_JWT_SECRET`.
pub fn from_args<I>(args: I, jwt_secret: Option<String>) -> Result<Invocation, lexopt::Error>
where
    I: IntoIterator,
    I::Item: Into<std::ffi::OsString>,
{
    let mut config = Config { jwt_secret: jwt_secret.filter(|s| !s.is_empty()), ..Config::default() };
    let mut parser = Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("port") => config.port = parser.value()?.parse()?,
            Arg::Long("host") => config.host = parser.value()?.parse()?,
            Arg::Long("db") => config.db = parser.value()?.into(),
            Arg::Long("static") => config.static_dir = Some(parser.value()?.into()),
            Arg::Long("token-ttl") => config.token_ttl_ms = seconds(&mut parser)?,
            Arg::Long("refresh-grace") => config.refresh_grace_ms = seconds(&mut parser)?,
            Arg::Long("jwt-secret") => config.jwt_secret = Some(parser.value()?.string()?),
            Arg::Long("cors-origin") => config.cors_origins.push(parser.value()?.string()?),
            Arg::Long("rate-per-s") => config.rate_per_s = at_least_one(&mut parser)?,
            Arg::Long("rate-burst") => config.rate_burst = at_least_one(&mut parser)?,
            Arg::Long("max-text") => config.max_text_chars = parser.value()?.parse()?,
            Arg::Long("max-payload") => config.max_payload_bytes = parser.value()?.parse()?,
            Arg::Long("ping-interval-ms") => config.ping_interval_ms = at_least_one(&mut parser)?.into(),
            Arg::Long("ping-timeout-ms") => config.ping_timeout_ms = at_least_one(&mut parser)?.into(),
            Arg::Long("idle-timeout-ms") => config.idle_timeout_ms = at_least_one(&mut parser)?.into(),
            Arg::Long("max-channels") => config.max_channels = parser.value()?.parse()?,
            Arg::Long("public-url") => config.public_url = Some(public_url(&mut parser)?),
            Arg::Long("script-delay-ms") => config.script_delay_ms = parser.value()?.parse()?,
            Arg::Long("help") | Arg::Short('h') => return Ok(Invocation::Help),
            Arg::Long("version") | Arg::Short('V') => return Ok(Invocation::Version),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Invocation::Run(Box::new(config)))
}

fn seconds(parser: &mut Parser) -> Result<i64, lexopt::Error> {
    let seconds: f64 = parser.value()?.parse()?;
    if !(0.001..=1e9).contains(&seconds) {
        return Err(format!("{seconds} seconds: allowed are 0.001 to 1000000000").into());
    }
    Ok((seconds * 1000.0).round() as i64)
}

fn public_url(parser: &mut Parser) -> Result<String, lexopt::Error> {
    let url = parser.value()?.string()?;
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    match rest {
        Some(rest) if !rest.is_empty() && !rest.contains(['?', '#', ' ']) => {
            Ok(url.trim_end_matches('/').to_owned())
        }
        _ => Err(format!("{url}: allowed are the likes of https://chat.example.org").into()),
    }
}

fn at_least_one(parser: &mut Parser) -> Result<u32, lexopt::Error> {
    let value: u32 = parser.value()?.parse()?;
    if value == 0 { Err("0: allowed are numbers from 1".into()) } else { Ok(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(args: &[&str]) -> Config {
        match from_args(args, None).unwrap() {
            Invocation::Run(config) => *config,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flags_overrule_the_defaults() {
        let config = run(&["--port", "0", "--token-ttl=0.5", "--cors-origin", "*", "--db", "/x/y.db"]);
        assert_eq!((config.port, config.token_ttl_ms), (0, 500));
        assert_eq!(config.cors_origins, ["*"]);
        assert_eq!(config.db, PathBuf::from("/x/y.db"));
        assert_eq!(run(&[]).port, 8787);
    }

    #[test]
    fn wrong_flags_are_named() {
        for args in [["--port", "x"], ["--ports", "1"], ["--rate-burst", "0"], ["--token-ttl", "-1"]] {
            assert!(from_args(args, None).is_err(), "{args:?}");
        }
        assert!(from_args(["--nothing"], None).unwrap_err().to_string().contains("--nothing"));
    }
}
