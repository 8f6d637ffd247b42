//! Times in buckets of at most 1.6 % of their value.

/// Buckets of each power of two.
const STEPS: u64 = 64;
const STEP_BITS: u32 = STEPS.trailing_zeros();

/// Counts of nanoseconds.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    /// Adds one.
    pub fn add(&mut self, nanos: u64) {
        let at = bucket_of(nanos);
        if at >= self.counts.len() {
            self.counts.resize(at + 1, 0);
        }
        self.counts[at] += 1;
        self.total += 1;
    }

    /// The value that a part of all do not exceed, in microseconds.
    #[must_use]
    pub fn at_us(&self, part: f64) -> f64 {
        let wanted = (self.total as f64 * part).ceil() as u64;
        let mut sum = 0;
        let found = self.counts.iter().position(|count| {
            sum += count;
            sum >= wanted
        });
        found.map_or(0.0, |at| top_of(at) as f64 / 1000.0)
    }
}

fn bucket_of(nanos: u64) -> usize {
    let octave = nanos.max(STEPS).ilog2() - STEP_BITS;
    (u64::from(octave) * STEPS + (nanos >> octave)) as usize
}

/// The largest value of a bucket.
fn top_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let octave = (bucket / STEPS).saturating_sub(1);
    let step = bucket - octave * STEPS;
    ((step + 1) << octave) - 1
}

#[cfg(test)]
mod tests {
    use super::{Histogram, bucket_of, top_of};

    #[test]
    fn buckets_are_narrow_and_in_order() {
        let mut last = 0;
        for nanos in (0..100_000).chain((1..2000).map(|n| n * 7_919_993)) {
            let bucket = bucket_of(nanos);
            assert!(bucket >= last, "{nanos}");
            last = if nanos < 99_999 { bucket } else { 0 };
            let top = top_of(bucket);
            assert!(
                top >= nanos && (top - nanos) as f64 <= nanos as f64 / 60.0 + 1.0,
                "{nanos} {top}"
            );
        }
    }

    #[test]
    fn a_part_of_all() {
        let mut times = Histogram::default();
        (1..=1000).for_each(|us| times.add(us * 1000));
        for (part, us) in [(0.5, 500.0), (0.99, 990.0), (1.0, 1000.0)] {
            assert!((times.at_us(part) - us).abs() < us / 50.0, "{}", times.at_us(part));
        }
    }
}
