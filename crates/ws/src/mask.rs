//! Masking (RFC 6455, section 5.3): an exclusive or with a key of four octets.

/// How much is masked and then used while it is still in the fastest cache.
/// A multiple of the key's size, so that every block begins with the same key.
pub(crate) const BLOCK_BYTES: usize = 8 * 1024;

/// WS-MK-06: octet `i` becomes octet `i` XOR `key[i mod 4]`. The same operation masks and unmasks.
///
/// Eight octets at a time; the compiler widens this loop to what the machine has.
#[inline]
pub(crate) fn apply(key: [u8; 4], bytes: &mut [u8]) {
    let [a, b, c, d] = key;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (chunks, tail) = bytes.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (octet, key) in tail.iter_mut().zip([a, b, c, d, a, b, c]) {
        *octet ^= key;
    }
}

/// The key as it applies from octet `by` of the payload on.
#[inline]
pub(crate) fn rotate(mut key: [u8; 4], by: usize) -> [u8; 4] {
    key.rotate_left(by & 3);
    key
}

/// Appends `bytes`, masked, to `out`.
pub(crate) fn append(key: [u8; 4], bytes: &[u8], out: &mut Vec<u8>) {
    for block in bytes.chunks(BLOCK_BYTES) {
        let start = out.len();
        out.extend_from_slice(block);
        apply(key, out.get_mut(start..).unwrap_or_default());
    }
}
