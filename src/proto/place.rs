//! Where a window looks for what comes before, in a history that is asked for by offset (T10).

/// What is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Aim {
    /// What comes before all that is here.
    #[default]
    Past,
    /// What is missing in between, towards the newest.
    Seek,
    /// The rest of it, which is found: away from the newest.
    Fill,
}

/// What is here of a history when more of it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Here {
    pub rows: u32,
    /// Where one goes on; `None`: with what comes before all that is here.
    pub place: Option<Place>,
    /// Something may be missing among them.
    pub holes: bool,
    /// When the newest was created, by the server's clock. Also of what has come since then more may be on its way, which is
    /// told when it comes: nothing joins on there.
    pub newest_ms: i64,
}

/// Where one goes on: so many rows further than the oldest that is here is from the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Counted against the rows that are here, so that what comes meanwhile moves both. The page overlaps by a row: -1 where
    /// nothing is missing in between.
    pub beyond: i64,
    pub aim: Aim,
}
