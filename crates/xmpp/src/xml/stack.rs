//! A stack whose first entries need no heap: most messages never go beyond them.

/// `N` entries inline, any more on the heap.
#[derive(Debug)]
pub(super) struct Stack<T, const N: usize> {
    inline: [T; N],
    len: usize,
    more: Vec<T>,
}

impl<T: Copy + Default, const N: usize> Stack<T, N> {
    pub(super) fn new() -> Self {
        Self { inline: [T::default(); N], len: 0, more: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, entry: T) {
        match self.inline.get_mut(self.len) {
            Some(place) => *place = entry,
            None => self.more.push(entry),
        }
        self.len = self.len.saturating_add(1);
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        self.len = self.len.checked_sub(1)?;
        match self.inline.get(self.len) {
            Some(entry) => Some(*entry),
            None => self.more.pop(),
        }
    }

    /// Takes entries off until `len` are left.
    pub(super) fn truncate(&mut self, len: usize) {
        if len < self.len {
            self.len = len;
            self.more.truncate(len.saturating_sub(N));
        }
    }

    /// The entries from number `from` on.
    pub(super) fn since(&self, from: usize) -> impl DoubleEndedIterator<Item = &T> {
        let inline = self.inline.get(from.min(N)..self.len.min(N)).unwrap_or_default();
        let more = self.more.get(from.saturating_sub(N)..).unwrap_or_default();
        inline.iter().chain(more)
    }
}

#[cfg(test)]
mod tests {
    use super::Stack;

    #[test]
    fn entries_come_back_in_order_wherever_they_lie() {
        let mut stack: Stack<u32, 3> = Stack::new();
        for entry in 0..7 {
            stack.push(entry);
        }
        assert!(stack.since(0).copied().eq(0..7));
        assert!(stack.since(2).copied().eq(2..7));
        assert!(stack.since(5).copied().eq(5..7));
        assert!(stack.since(5).rev().copied().eq([6, 5]));
        stack.truncate(4);
        assert_eq!((stack.len(), stack.pop(), stack.pop()), (4, Some(3), Some(2)));
        stack.push(9);
        assert!(stack.since(0).copied().eq([0, 1, 9]));
        stack.truncate(0);
        assert_eq!(stack.pop(), None);
    }
}
