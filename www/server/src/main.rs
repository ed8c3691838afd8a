//! The program: flags, logs, signals.

use std::{
    env,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use chatwire_server::{Config, Invocation, StartError, USAGE, from_args, start};
use tracing::level_filters::LevelFilter;

/// Exit code of a port that is taken; tools try another one then.
const PORT_TAKEN: u8 = 2;

fn main() -> ExitCode {
    let secret = env::var("CHATWIRE_JWT_SECRET").ok();
    match from_args(env::args_os().skip(1), secret) {
        Ok(Invocation::Run(config)) => run(*config),
        Ok(Invocation::Help) => print(USAGE),
        Ok(Invocation::Version) => print(concat!("chatwire-server ", env!("CARGO_PKG_VERSION"))),
        Err(error) => fail(&format!("{error}; chatwire-server --help lists the flags"), 1),
    }
}

fn print(text: &str) -> ExitCode {
    // A closed stdout is nobody's loss.
    let _ = writeln!(io::stdout(), "{text}");
    ExitCode::SUCCESS
}

fn fail(message: &str, code: u8) -> ExitCode {
    let _ = writeln!(io::stderr(), "chatwire-server: {message}");
    ExitCode::from(code)
}

fn run(config: Config) -> ExitCode {
    log_to_stderr();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start: {error}"), 1),
    };
    runtime.block_on(async {
        let stop = match signals() {
            Ok(stop) => stop,
            Err(error) => return fail(&format!("cannot listen for signals: {error}"), 1),
        };
        let server = match start(config).await {
            Ok(server) => server,
            Err(error @ StartError::PortTaken { .. }) => return fail(&error.to_string(), PORT_TAKEN),
            Err(error) => return fail(&error.to_string(), 1),
        };
        // Machine readable: tools wait for this line.
        print(&format!("chatwire-server listening on http://{}", server.address()));
        stop.await;
        tracing::info!("stopping");
        server.stop().await;
        ExitCode::SUCCESS
    })
}

fn log_to_stderr() {
    let level =
        env::var("CHATWIRE_LOG").ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let builder = tracing_subscriber::fmt().with_writer(io::stderr).with_max_level(level);
    if env::var("CHATWIRE_LOG_FORMAT").is_ok_and(|format| format == "json") {
        builder.json().init();
    } else {
        builder.compact().with_ansi(io::stderr().is_terminal()).init();
    }
}

/// Listens for signals from the call on: one that comes while the server starts is not lost.
#[cfg(unix)]
fn signals() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn signals() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "cannot wait for Ctrl-C, stopping");
        }
    })
}
