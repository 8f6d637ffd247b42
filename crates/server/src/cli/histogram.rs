//! Durations counted in buckets of one part in 64: percentiles without keeping every value.

use std::time::Duration;

/// Sub-buckets of one power of two.
const FINE: usize = 64;

/// Counts durations of up to an hour, to the microsecond or to 1.6 %.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    pub(super) fn new() -> Self {
        Self { counts: vec![0; FINE * 40], total: 0 }
    }

    pub(super) fn record(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let last = self.counts.len() - 1;
        self.counts[bucket_of(micros).min(last)] += 1;
        self.total += 1;
    }

    /// The duration that this share (0 to 1) of all values does not exceed.
    pub(super) fn quantile(&self, share: f64) -> Duration {
        let wanted = (share * self.total as f64).ceil() as u64;
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted.max(1) {
                return Duration::from_micros(upper_end(bucket));
            }
        }
        Duration::ZERO
    }
}

/// Below 64 each value has its bucket; above, each power of two has 64.
fn bucket_of(micros: u64) -> usize {
    let exponent = (u64::BITS - micros.leading_zeros()).saturating_sub(6 + 1);
    let fine = (micros >> exponent) as usize;
    exponent as usize * FINE + fine
}

fn upper_end(bucket: usize) -> u64 {
    let exponent = (bucket / FINE).saturating_sub(1);
    let fine = bucket - exponent * FINE;
    ((fine as u64 + 1) << exponent) - 1
}

#[cfg(test)]
mod tests {
    use super::{Histogram, bucket_of, upper_end};
    use std::time::Duration;

    #[test]
    fn buckets_cover_every_value_once() {
        let mut before = None;
        for micros in 0..200_000 {
            let bucket = bucket_of(micros);
            assert!(before.is_none_or(|b| bucket == b || bucket == b + 1), "{micros}");
            let end = upper_end(bucket);
            assert!(end >= micros && end - micros <= micros / 64, "{micros} to {end}");
            before = Some(bucket);
        }
    }

    #[test]
    fn quantiles() {
        let mut histogram = Histogram::new();
        assert_eq!(histogram.quantile(0.5), Duration::ZERO);
        for micros in 1..=1000 {
            histogram.record(Duration::from_micros(micros));
        }
        for (share, expected) in [(0.5, 500), (0.99, 990), (1.0, 1000)] {
            let found = histogram.quantile(share).as_micros() as u64;
            assert!(found >= expected && found <= expected + expected / 32, "{share}: {found}");
        }
    }
}
