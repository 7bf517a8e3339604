//! When to try again.

/// The waits between tries of one downstream.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Milliseconds to wait after the first, second, ... failed try. When they are used up the delivery is exhausted.
    pub waits_ms: Vec<i64>,
    /// How much of a wait chance may take away, 0 to 1.
    pub jitter: f64,
}

impl Schedule {
    /// Milliseconds to wait after the `attempt`th try (from 1) failed; none when the schedule has ended.
    pub fn wait(&self, attempt: u32, chance: f64) -> Option<i64> {
        let wait = *self.waits_ms.get(attempt.saturating_sub(1) as usize)?;
        let taken = wait as f64 * self.jitter.clamp(0.0, 1.0) * chance.clamp(0.0, 1.0);
        Some(wait - taken as i64)
    }
}
