//! What an input may cost: where an input of n bytes has more than `per_byte` · n + `beside` bytes alive at once, the
//! fuzzer ends at the allocation that was one too many, before it is made.

use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The most that may be alive at once.
#[derive(Clone, Copy)]
pub struct Bound {
    /// Bytes for each byte of input.
    pub per_byte: usize,
    /// Whatever the input.
    pub beside: usize,
}

/// Bytes that are alive, and the most that were since the input began.
static ALIVE: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);
static ALLOWED: AtomicUsize = AtomicUsize::new(usize::MAX);
/// The largest part of what was allowed that any input has taken, in percent.
static LARGEST_SHARE: AtomicUsize = AtomicUsize::new(0);

/// Runs one input of so many bytes under its limit.
pub fn bounded(bound: Bound, input_bytes: usize, run: impl FnOnce()) {
    static PANICS_ARE_FREE: Once = Once::new();
    PANICS_ARE_FREE.call_once(|| {
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            // Its backtrace takes megabytes, and a second one would wait for the first.
            ALLOWED.store(usize::MAX, Relaxed);
            told(panic);
        }));
    });
    let before = ALIVE.load(Relaxed);
    let allowed = bound.beside + bound.per_byte * input_bytes;
    MOST.store(before, Relaxed);
    ALLOWED.store(before + allowed, Relaxed);
    run();
    ALLOWED.store(usize::MAX, Relaxed);
    let taken = MOST.load(Relaxed) - before;
    let share = taken * 100 / allowed;
    if LARGEST_SHARE.fetch_max(share, Relaxed) < share {
        eprintln!("memory: {share} % of the limit ({taken} bytes alive for {input_bytes} of input)");
    }
}

/// Counts what the product and the targets allocate. libFuzzer has an allocator of its own.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

// SAFETY: all of it is the system's allocator, with the same arguments; beside it numbers are counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALIVE.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Where it must be moved, both are there for a moment.
        grow(size);
        ALIVE.fetch_sub(layout.size(), Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

fn grow(bytes: usize) {
    let alive = ALIVE.fetch_add(bytes, Relaxed) + bytes;
    if alive > ALLOWED.load(Relaxed) {
        // What is told of it is allocated, too.
        ALLOWED.store(usize::MAX, Relaxed);
        eprintln!("more memory than the input may cost: {bytes} bytes more\n{}", Backtrace::force_capture());
        std::process::abort();
    }
    MOST.fetch_max(alive, Relaxed);
}
