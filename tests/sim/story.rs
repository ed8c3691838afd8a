//! What happened, for a person: kept only where it will be read.

#[derive(Default)]
pub struct Story {
    lines: Option<Vec<String>>,
}

impl Story {
    /// One that is kept.
    pub fn told() -> Self {
        Self { lines: Some(Vec::new()) }
    }

    pub fn tell(&mut self, t: u64, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{:>10.3} s  {}", t as f64 / 1000.0, line()));
        }
    }

    pub fn lines(&self) -> &[String] {
        self.lines.as_deref().unwrap_or_default()
    }
}
