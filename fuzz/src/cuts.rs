//! How a stream of bytes is cut into reads.

/// A way to cut; the same seed cuts alike.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cuts {
    /// Everything in one read.
    Whole,
    /// One byte in each read.
    Bytes,
    /// Reads of random sizes, some of them empty.
    Random(u64),
}

impl Cuts {
    /// The reads, in order; joined they are `stream`.
    pub(crate) fn of(self, stream: &[u8]) -> Vec<&[u8]> {
        match self {
            Cuts::Whole => vec![stream],
            Cuts::Bytes => stream.chunks(1).collect(),
            Cuts::Random(mut seed) => {
                let (mut reads, mut rest) = (Vec::new(), stream);
                while !rest.is_empty() {
                    let len = read_size(&mut seed).min(rest.len());
                    let (read, after) = rest.split_at(len);
                    reads.push(read);
                    rest = after;
                }
                reads
            }
        }
    }
}

/// Mostly small, sometimes nothing, sometimes a lot.
fn read_size(seed: &mut u64) -> usize {
    let [which, small, large, ..] = next(seed).to_le_bytes();
    match which % 8 {
        0 => 0,
        1..=3 => 1 + usize::from(small % 4),
        4..=6 => 1 + usize::from(small),
        _ => 1 + usize::from(small) * usize::from(large),
    }
}

/// SplitMix64.
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
