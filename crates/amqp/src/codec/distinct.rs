//! No map has a key twice (AMQP 1.6.23).

use super::DecodeError;

/// Up to here every key is compared with every other; beyond, they are sorted first.
const COMPARED_MAX: usize = 16;

/// Checks that no two of `items` have the same key.
pub(super) fn distinct<'i, T, K: Ord>(
    items: &'i [T],
    key: impl Fn(&'i T) -> K,
) -> Result<(), DecodeError> {
    let twice = if items.len() <= COMPARED_MAX {
        let mut rest = items;
        let mut found = false;
        while let Some((first, others)) = rest.split_first() {
            rest = others;
            found |= others.iter().any(|other| key(other) == key(first));
        }
        found
    } else {
        let mut keys: Vec<K> = items.iter().map(key).collect();
        keys.sort_unstable();
        keys.windows(2).any(|pair| pair.first() == pair.last())
    };
    if twice { Err(DecodeError::encoding("a map with a key twice")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_twice_is_found_among_few_and_among_many() {
        for len in [2, 15, 16, 17, 100] {
            let mut keys: Vec<usize> = (0..len).map(|n| n * 7 % 101).collect();
            assert!(distinct(&keys, |key| *key).is_ok(), "{len}");
            keys[len - 1] = keys[0];
            assert!(distinct(&keys, |key| *key).is_err(), "{len}");
        }
        assert!(distinct(&[] as &[u8], |key| *key).is_ok());
    }
}
