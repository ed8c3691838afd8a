//! Starting and stopping.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::Method,
    response::{IntoResponse, Response},
};
use socketioxide::SocketIo;
use tokio::{net::TcpListener, runtime::Handle, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tower_http::services::{ServeDir, ServeFile};

use crate::{
    App, assistant, auth, companion,
    config::Config,
    directory::Directory,
    error::ApiError,
    faults::Faults,
    limits::Limiter,
    listener::{Link, Listener},
    live::Live,
    origins, phoenix,
    presence::Presence,
    script::Scripts,
    socket_io,
    store::{self, OpenError, Store},
    team,
    tokens::Tokens,
    websocket,
};

/// How long goodbyes may take to leave. socketioxide can wait for ever for a socket that ends at the same moment.
const GOODBYE_TIMEOUT: Duration = Duration::from_millis(500);

/// How long requests may take to end before the process goes without them.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "port {port} of {host} is taken; stop what uses it, or start with --port 0 for a free one or \
         --port N for another"
    )]
    PortTaken { host: std::net::IpAddr, port: u16 },
    #[error("cannot listen on {address}: {error}")]
    Listen { address: SocketAddr, error: io::Error },
    #[error(transparent)]
    Database(#[from] OpenError),
    #[error("cannot read the database: {0}")]
    Read(ApiError),
    #[error("--cors-origin {0}: not an origin, allowed are * and the likes of https://example.org")]
    CorsOrigin(String),
    #[error("--static {0}: no index.html there; build the application first")]
    Static(PathBuf),
}

/// A server that runs in this process.
pub struct Running {
    address: SocketAddr,
    app: Arc<App>,
    sockets: Vec<SocketIo>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends the connections (clients see a lost network and will come back), finishes what was begun, closes the
    /// database.
    pub async fn stop(self) {
        self.stop.cancel();
        self.app.websockets.close(GOODBYE_TIMEOUT).await;
        // An Engine.IO close, without a Socket.IO DISCONNECT.
        let close_all = async {
            for sockets in &self.sockets {
                sockets.close().await;
            }
        };
        if tokio::time::timeout(GOODBYE_TIMEOUT, close_all).await.is_err() {
            tracing::warn!("some sockets did not close in time");
        }
        self.app.live.cut(None);
        if tokio::time::timeout(STOP_TIMEOUT, self.task).await.is_err() {
            tracing::warn!("some requests did not end in time");
        }
        let app = self.app;
        let closed = tokio::task::spawn_blocking(move || app.store.close()).await;
        if closed.is_err() {
            tracing::error!("the database was not closed");
        }
    }
}

/// Starts a server; it listens when this returns.
pub async fn start(config: Config) -> Result<Running, StartError> {
    let wanted = SocketAddr::new(config.host, config.port);
    let listener = TcpListener::bind(wanted).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => StartError::PortTaken { host: config.host, port: config.port },
        _ => StartError::Listen { address: wanted, error },
    })?;
    let address = listener.local_addr().map_err(|error| StartError::Listen { address: wanted, error })?;
    let app = Arc::new(open(config, address)?);
    let (router, sockets) = router(&app)?;
    let stop = CancellationToken::new();
    let stopped = stop.clone().cancelled_owned();
    let service = router.into_make_service_with_connect_info::<Link>();
    let task = tokio::spawn(async move {
        let served = axum::serve(Listener(listener), service).with_graceful_shutdown(stopped).await;
        if let Err(error) = served {
            tracing::error!(%error, "serving ended");
        }
    });
    tracing::info!(%address, db = %app.config.db.display(), faults = cfg!(feature = "faults"), "listening");
    Ok(Running { address, app, sockets, stop, task })
}

fn open(mut config: Config, address: SocketAddr) -> Result<App, StartError> {
    let public_url = config.public_url.take().unwrap_or_else(|| local_url(address));
    config.public_url = Some(public_url);
    let store = Store::open(&config.db)?;
    let (users, members, secret) = store
        .read_now(|db| {
            let secret = match &config.jwt_secret {
                Some(secret) => secret.clone().into_bytes(),
                None => store::secret(db)?,
            };
            Ok((store::all_users(db)?, store::all_members(db)?, secret))
        })
        .map_err(StartError::Read)?;
    Ok(App {
        store,
        directory: Directory::new(users, members),
        live: Live::default(),
        presence: Presence::default(),
        websockets: websocket::Sockets::default(),
        scripts: Scripts::new(Handle::current()),
        consents: assistant::Consents::default(),
        limiter: Mutex::new(Limiter::new(config.rate_per_s, config.rate_burst)),
        tokens: Tokens::new(&secret, config.token_ttl_ms, config.refresh_grace_ms),
        faults: Faults::new(),
        config,
    })
}

/// How a browser on this machine reaches the server.
fn local_url(address: SocketAddr) -> String {
    let host = if address.ip().is_unspecified() { "127.0.0.1".to_owned() } else { address.ip().to_string() };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    format!("http://{host}:{}", address.port())
}

fn router(app: &Arc<App>) -> Result<(Router, Vec<SocketIo>), StartError> {
    let router = Router::new()
        .merge(auth::routes())
        .nest("/team/api", team::routes())
        .nest("/companion", companion::routes())
        .merge(assistant::routes())
        .nest("/phoenix", phoenix::routes());
    #[cfg(feature = "faults")]
    let router = router.merge(crate::faults::routes());
    let router = match &app.config.static_dir {
        Some(folder) => router.fallback_service(static_files(folder)?),
        None => router.fallback(unknown_path),
    };
    let router = router.layer(DefaultBodyLimit::max(app.config.max_payload_bytes)).with_state(app.clone());
    // The last layer is the outermost: preflights are answered before anything else looks at them.
    let (router, sockets) = socket_io::mount(router, app);
    Ok((router.layer(origins::cors(&app.config.cors_origins)?), sockets))
}

async fn unknown_path(request: Request) -> ApiError {
    ApiError::not_found(format!("no route {} {:.100}", request.method(), request.uri().path()))
}

/// The built application. A path without a file extension is one of its pages; a missing file is a 404, since a
/// script or a wasm answered with HTML fails far from its cause.
fn static_files(folder: &Path) -> Result<Router, StartError> {
    let index = folder.join("index.html");
    if !index.is_file() {
        return Err(StartError::Static(folder.to_owned()));
    }
    let page = ServeFile::new(index);
    let missing = move |request: Request| {
        let page = page.clone();
        async move { page_or_404(page, request).await }
    };
    let files = ServeDir::new(folder).fallback(Router::new().fallback(missing));
    Ok(Router::new().fallback_service(files))
}

async fn page_or_404(page: ServeFile, request: Request) -> Response {
    let path = request.uri().path();
    let is_api =
        ["/api", "/auth", "/team", "/phoenix", "/companion", "/channels", "/assistant", "/plain", "/test"]
            .iter()
            .any(|prefix| {
                path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            });
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    if is_api || is_file || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return unknown_path(request).await.into_response();
    }
    match tower::ServiceExt::oneshot(page, request).await {
        Ok(response) => response.into_response(),
        Err(error) => match error {},
    }
}
