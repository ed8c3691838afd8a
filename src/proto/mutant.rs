//! Broken promises, by number: for the simulator, which must notice each of them.
//!
//! Law: outside the feature `mutants`, which nothing that is shipped has, `is` is `false` and the compiler leaves
//! nothing of it. Each mutant is one small patch where its promise is kept; the list is in docs/reliability.md.

#[cfg(feature = "mutants")]
thread_local! {
    static PRESENT: core::cell::Cell<u32> = const { core::cell::Cell::new(0) };
}

/// The mutant that this thread runs; 0: none.
#[cfg(feature = "mutants")]
pub fn set(number: u32) {
    PRESENT.set(number);
}

/// Whether that mutant runs.
#[cfg(feature = "mutants")]
pub(crate) fn is(number: u32) -> bool {
    PRESENT.get() == number
}

/// Whether that mutant runs: never.
#[cfg(not(feature = "mutants"))]
pub(crate) const fn is(_number: u32) -> bool {
    false
}
