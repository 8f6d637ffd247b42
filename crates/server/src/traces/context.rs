//! What `traceparent` says (W3C Trace Context, section 3.2).

use data_encoding::HEXLOWER;

/// The trace that a message belongs to, and the span that has sent it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Context {
    pub(super) trace: [u8; 16],
    pub(super) parent: [u8; 8],
}

impl Context {
    /// Reads it. `None` if it says nothing that can be understood, or that the trace is not
    /// recorded.
    pub(super) fn sampled(text: &str) -> Option<Self> {
        let (version, rest) = text.split_at_checked(2)?;
        let [version] = hex(version)?;
        // A later version may say more, behind a dash; ff is none.
        let known = match version {
            0 => rest.len() == 53,
            0xff => false,
            _ => rest.len() == 53 || rest.as_bytes().get(53) == Some(&b'-'),
        };
        if !known {
            return None;
        }
        let mut fields = rest.strip_prefix('-')?.split('-');
        let (trace, parent) = (hex(fields.next()?)?, hex(fields.next()?)?);
        let [flags] = hex(fields.next()?)?;
        let valid = trace != [0; 16] && parent != [0; 8];
        (valid && flags & 1 == 1).then_some(Self { trace, parent })
    }
}

fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::Context;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_trace_that_is_recorded_is_read() {
        let read = Context::sampled(GOOD).unwrap();
        assert_eq!((read.trace[0], read.trace[15]), (0x0a, 0x9c));
        assert_eq!(read.parent, [0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31]);
        let later = GOOD.replacen("00", "cc", 1);
        assert_eq!(Context::sampled(&later), Some(read));
        assert_eq!(Context::sampled(&format!("{later}-more-to-come")), Some(read));
    }

    #[test]
    fn everything_else_is_passed_over() {
        let zero = |of: &str| GOOD.replace(of, &"0".repeat(of.len()));
        for text in [
            "",
            "00",
            "0é-",
            &GOOD.replace("-01", "-00"),
            &GOOD.replace("0af7", "0AF7"),
            &zero("0af7651916cd43dd8448eb211c80319c"),
            &zero("b7ad6b7169203331"),
            &GOOD.replacen("00", "ff", 1),
            &format!("{GOOD}-more"),
            &format!("{}x", GOOD.replacen("00", "cc", 1)),
            &GOOD[..54],
        ] {
            assert_eq!(Context::sampled(text), None, "{text}");
        }
    }
}
