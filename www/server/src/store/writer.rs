//! The one writing thread and its group commit.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread::JoinHandle,
};

use rusqlite::Connection;

use crate::error::ApiError;

/// Jobs in one transaction: bounds how long the first of them waits.
const MAX_BATCH: usize = 512;
/// Jobs waiting before the server calls itself overloaded.
const MAX_WAITING: usize = 20_000;
/// Jobs waiting before every further one is refused, whatever it is.
const MAX_QUEUED: usize = 2 * MAX_WAITING;
const RETRY_AFTER_MS: u64 = 1000;

pub(super) struct Writer {
    jobs: mpsc::Sender<Command>,
    waiting: Arc<AtomicUsize>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Command {
    Job(Box<dyn Job>),
    Stop,
}

trait Job: Send {
    fn run(&mut self, db: &Connection);
    fn finish(self: Box<Self>, committed: bool);
}

struct Call<T, F, D> {
    work: Option<F>,
    result: Option<Result<T, ApiError>>,
    done: D,
}

impl<T, F, D> Job for Call<T, F, D>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<T, ApiError> + Send,
    D: FnOnce(Result<T, ApiError>) + Send,
{
    fn run(&mut self, db: &Connection) {
        self.result = self.work.take().map(|work| in_savepoint(db, work));
    }

    fn finish(self: Box<Self>, committed: bool) {
        let Self { result, done, .. } = *self;
        let not_committed = || Err(ApiError::server("the database could not commit"));
        done(match result {
            // A refusal stands whether or not the others of its transaction could be stored.
            Some(Err(refused)) => Err(refused),
            Some(Ok(value)) if committed => Ok(value),
            Some(Ok(_)) | None => not_committed(),
        });
    }
}

fn in_savepoint<T>(
    db: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    db.prepare_cached("SAVEPOINT job")?.execute([])?;
    let result = work(db);
    if result.is_err() {
        db.prepare_cached("ROLLBACK TO job")?.execute([])?;
    }
    db.prepare_cached("RELEASE job")?.execute([])?;
    result
}

impl Writer {
    pub(super) fn start(db: Connection) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let counter = waiting.clone();
        let thread = std::thread::Builder::new()
            .name("writer".into())
            .spawn(move || write_until_stopped(&db, &queue, &counter))?;
        Ok(Self { jobs, waiting, thread: Mutex::new(Some(thread)) })
    }

    pub(super) fn push<T, F, D>(&self, work: F, done: D)
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, ApiError> + Send + 'static,
        D: FnOnce(Result<T, ApiError>) + Send + 'static,
    {
        if self.waiting.load(Ordering::Relaxed) >= MAX_QUEUED {
            return done(Err(ApiError::rate_limited(RETRY_AFTER_MS)));
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let job = Command::Job(Box::new(Call { work: Some(work), result: None, done }));
        if let Err(mpsc::SendError(Command::Job(job))) = self.jobs.send(job) {
            job.finish(false);
        }
    }

    pub(super) fn is_overloaded(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > MAX_WAITING
    }

    pub(super) fn stop(&self) {
        if self.jobs.send(Command::Stop).is_ok()
            && let Some(thread) = crate::lock(&self.thread).take()
            && thread.join().is_err()
        {
            tracing::error!("the writing thread had failed");
        }
    }
}

fn write_until_stopped(db: &Connection, queue: &mpsc::Receiver<Command>, waiting: &AtomicUsize) {
    while let Ok(Command::Job(first)) = queue.recv() {
        let stop = commit_together(db, first, queue, waiting);
        if stop {
            break;
        }
    }
    // Only tidies: what is in the WAL is as durable as the rest.
    if let Err(error) = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
        tracing::warn!(%error, "no checkpoint at the end");
    }
}

/// Returns whether the writer was asked to stop.
fn commit_together(
    db: &Connection,
    first: Box<dyn Job>,
    queue: &mpsc::Receiver<Command>,
    waiting: &AtomicUsize,
) -> bool {
    let begun = done("BEGIN IMMEDIATE", db);
    let mut batch = Vec::new();
    let mut next = Some(first);
    let mut stop = false;
    while let Some(mut job) = next.take() {
        if begun {
            job.run(db);
        }
        batch.push(job);
        if batch.len() < MAX_BATCH {
            match queue.try_recv() {
                Ok(Command::Job(job)) => next = Some(job),
                Ok(Command::Stop) => stop = true,
                Err(_) => {}
            }
        }
    }
    let committed = begun && done("COMMIT", db);
    if begun && !committed {
        done("ROLLBACK", db);
    }
    waiting.fetch_sub(batch.len(), Ordering::Relaxed);
    for job in batch {
        job.finish(committed);
    }
    stop
}

fn done(sql: &str, db: &Connection) -> bool {
    match db.execute_batch(sql) {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(%error, sql, "transaction");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded() {
        let writer = Writer::start(Connection::open_in_memory().unwrap()).unwrap();
        let (open_gate, gate) = mpsc::channel::<()>();
        let (tell, told) = mpsc::channel();
        writer.push(move |_| Ok(gate.recv().is_ok()), |_| {});
        for _ in 0..MAX_QUEUED + 5 {
            let tell = tell.clone();
            writer.push(|_| Ok(()), move |result| tell.send(result.is_ok()).unwrap());
        }
        assert_eq!(
            told.try_iter().count(),
            6,
            "refused at once: those beyond the bound, the gate being one of it"
        );
        open_gate.send(()).unwrap();
        drop(tell);
        assert_eq!(told.iter().filter(|stored| *stored).count(), MAX_QUEUED - 1);
        writer.stop();
    }

    /// Starts the writer behind a gate, so that jobs really pile up.
    #[test]
    fn jobs_that_wait_share_a_commit_and_finish_in_order() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch("CREATE TABLE t(n INTEGER)").unwrap();
        let writer = Writer::start(db).unwrap();
        let (open_gate, gate) = mpsc::channel::<()>();
        let (tell, told) = mpsc::channel();
        writer.push(move |_| Ok(gate.recv().is_ok()), |_| {});
        for n in 0..100_i64 {
            let tell = tell.clone();
            writer.push(
                move |db| {
                    db.execute("INSERT INTO t VALUES (?)", [n])?;
                    if n % 10 == 3 { Err(ApiError::server("refused")) } else { Ok(n) }
                },
                move |result| tell.send(result.ok().unwrap_or(-n)).unwrap(),
            );
        }
        open_gate.send(()).unwrap();
        drop(tell);
        let answers: Vec<i64> = told.iter().collect();
        let expected: Vec<i64> = (0..100).map(|n| if n % 10 == 3 { -n } else { n }).collect();
        assert_eq!(answers, expected);
        let (tell, told) = mpsc::channel();
        writer.push(
            |db| Ok(db.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0))?),
            move |count| tell.send(count.unwrap()).unwrap(),
        );
        assert_eq!(told.recv().unwrap(), 90, "what was refused left nothing behind");
        writer.stop();
        let (tell, told) = mpsc::channel();
        writer.push(|_| Ok(()), move |result| tell.send(result.is_err()).unwrap());
        assert!(told.recv().unwrap(), "a write after the end is refused");
    }
}
