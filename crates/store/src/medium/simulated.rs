//! A disk in memory that forgets what a real one may forget: after a crash it holds everything
//! that was synced, and of the rest any selection of 512-byte sectors.

use super::{Medium, MediumFile};
use crate::sync::lock;
use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex};

/// The unit that a disk writes as a whole.
const SECTOR_BYTES: usize = 512;

/// Which of the legal states a crash leaves behind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CrashPlan {
    /// Nothing that was not synced.
    DropUnsynced,
    /// Everything: the process died, the machine did not.
    KeepUnsynced,
    /// Any sectors of unsynced writes, and any first part of unsynced directory changes.
    Random(u64),
}

/// A disk in memory. Clones share the disk.
#[derive(Clone, Debug, Default)]
pub struct SimulatedMedium {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Debug, Default)]
struct Disk {
    files: Vec<Content>,
    /// Name to index in `files`, as the process sees it.
    names: BTreeMap<String, usize>,
    names_durable: BTreeMap<String, usize>,
    /// Directory changes since the last sync, each the complete result.
    names_pending: Vec<BTreeMap<String, usize>>,
    nonce: u64,
    /// Operations until the power goes.
    operations_left: Option<u64>,
    operations_done: u64,
    space_left_bytes: Option<u64>,
    /// Syncs until one fails and forgets, as a kernel does.
    syncs_until_failure: Option<u64>,
}

#[derive(Clone, Debug, Default)]
struct Content {
    /// As the process sees it.
    current: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Resize(usize),
    Write { position: usize, bytes: Vec<u8> },
}

impl SimulatedMedium {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A disk that holds these files, all durable.
    #[must_use]
    pub fn with_files(files: BTreeMap<String, Vec<u8>>) -> Self {
        let mut disk = Disk::default();
        for (index, (name, bytes)) in files.into_iter().enumerate() {
            disk.names.insert(name, index);
            disk.files.push(Content { current: bytes.clone(), durable: bytes, pending: vec![] });
        }
        disk.names_durable = disk.names.clone();
        disk.nonce = disk.names.len() as u64;
        Self { disk: Arc::new(Mutex::new(disk)) }
    }

    /// Every file as the process sees it.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let disk = lock(&self.disk);
        let content = |index: &usize| disk.files.get(*index).map(|c| c.current.clone());
        disk.names.iter().map(|(name, i)| (name.clone(), content(i).unwrap_or_default())).collect()
    }

    /// Flips one bit of a file, as rot does. `false` when the file is not that long.
    pub fn flip_bit(&self, name: &str, offset_bytes: usize, bit: u8) -> bool {
        let mut disk = lock(&self.disk);
        let index = disk.names.get(name).copied();
        let Some(content) = index.and_then(|index| disk.files.get_mut(index)) else {
            return false;
        };
        let mask = 1 << (bit % 8);
        for bytes in [&mut content.current, &mut content.durable] {
            match bytes.get_mut(offset_bytes) {
                Some(byte) => *byte ^= mask,
                None => return false,
            }
        }
        true
    }

    /// Cuts the power in the middle of the operation after the next `operations`.
    pub fn cut_power_after(&self, operations: u64) {
        lock(&self.disk).operations_left = Some(operations);
    }

    /// How many operations that change something were asked for so far.
    #[must_use]
    pub fn operations_done(&self) -> u64 {
        lock(&self.disk).operations_done
    }

    /// New files may take this much in all; then the disk is full.
    pub fn limit_space(&self, bytes: u64) {
        lock(&self.disk).space_left_bytes = Some(bytes);
    }

    /// Lets one sync fail, after `syncs` good ones. The data stays readable, is not durable, and
    /// no later sync makes it so: what Linux does.
    pub fn fail_sync_after(&self, syncs: u64) {
        lock(&self.disk).syncs_until_failure = Some(syncs);
    }

    /// The disk as the next process finds it. The old one is left as it is.
    #[must_use]
    pub fn crash(&self, plan: CrashPlan) -> Self {
        let disk = lock(&self.disk);
        let mut dice = Dice(match plan {
            CrashPlan::Random(seed) => seed,
            CrashPlan::DropUnsynced | CrashPlan::KeepUnsynced => 0,
        });
        let names = match plan {
            CrashPlan::DropUnsynced => disk.names_durable.clone(),
            CrashPlan::KeepUnsynced => disk.names.clone(),
            CrashPlan::Random(_) => {
                let kept = dice.below(disk.names_pending.len() as u64 + 1) as usize;
                let last = kept.checked_sub(1).and_then(|index| disk.names_pending.get(index));
                last.unwrap_or(&disk.names_durable).clone()
            }
        };
        let survive = |content: &Content| match plan {
            CrashPlan::DropUnsynced => content.durable.clone(),
            CrashPlan::KeepUnsynced => content.current.clone(),
            CrashPlan::Random(_) => tear(content, &mut dice),
        };
        let contents: Vec<_> = disk.files.iter().map(survive).collect();
        let keep = |content: (&Vec<u8>, &Content)| Content {
            current: content.0.clone(),
            // A process that dies leaves the kernel's memory, and what it still owes the disk.
            durable: if plan == CrashPlan::KeepUnsynced {
                content.1.durable.clone()
            } else {
                content.0.clone()
            },
            pending: if plan == CrashPlan::KeepUnsynced {
                content.1.pending.clone()
            } else {
                vec![]
            },
        };
        let kept = plan == CrashPlan::KeepUnsynced;
        let next = Disk {
            files: contents.iter().zip(&disk.files).map(keep).collect(),
            names_durable: if kept { disk.names_durable.clone() } else { names.clone() },
            names_pending: if kept { disk.names_pending.clone() } else { vec![] },
            names,
            nonce: disk.nonce,
            ..Disk::default()
        };
        Self { disk: Arc::new(Mutex::new(next)) }
    }
}

/// Applies any sectors of the unsynced changes.
fn tear(content: &Content, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = content.durable.clone();
    // Mostly-lost, mostly-kept and even mixtures are all worth seeing.
    let odds = dice.below(4);
    for change in &content.pending {
        match change {
            Change::Resize(len) => {
                if dice.keeps(odds) && *len > bytes.len() {
                    bytes.resize(*len, 0);
                }
            }
            Change::Write { position, bytes: written } => {
                let mut at = 0;
                while at < written.len() {
                    let sector_end = ((position + at) / SECTOR_BYTES + 1) * SECTOR_BYTES;
                    let end = (sector_end - position).min(written.len());
                    if dice.keeps(odds) {
                        overwrite(&mut bytes, position + at, &written[at..end]);
                    }
                    at = end;
                }
            }
        }
    }
    bytes
}

fn overwrite(bytes: &mut Vec<u8>, position: usize, written: &[u8]) {
    let end = position + written.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[position..end].copy_from_slice(written);
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Kept once in eight, every other time, seven times in eight, or always.
    fn keeps(&mut self, odds: u64) -> bool {
        self.below(8) < [1, 4, 7, 8][odds as usize % 4]
    }
}

impl Disk {
    /// Counts an operation. `Err` when it is the one in which the power goes, or a later one;
    /// `doing` is then the only one that may leave something unsynced behind.
    fn operate(&mut self) -> Result<(), Interrupted> {
        self.operations_done += 1;
        match &mut self.operations_left {
            None => Ok(()),
            Some(0) => Err(Interrupted { during: false }),
            Some(1) => {
                self.operations_left = Some(0);
                Err(Interrupted { during: true })
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }

    fn rename_in_directory(&mut self, change: impl FnOnce(&mut BTreeMap<String, usize>)) {
        change(&mut self.names);
        self.names_pending.push(self.names.clone());
    }

    fn take_space(&mut self, bytes: u64) -> io::Result<()> {
        if let Some(left) = &mut self.space_left_bytes {
            if bytes > *left {
                return Err(io::ErrorKind::StorageFull.into());
            }
            *left -= bytes;
        }
        Ok(())
    }
}

struct Interrupted {
    /// Whether this very operation was under way.
    during: bool,
}

impl From<Interrupted> for io::Error {
    fn from(_: Interrupted) -> Self {
        Self::other("the power is gone")
    }
}

impl Medium for SimulatedMedium {
    fn label(&self) -> String {
        "simulated".to_owned()
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(lock(&self.disk).names.keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn MediumFile>> {
        let disk = lock(&self.disk);
        let index = *disk.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(SimulatedFile { disk: Arc::clone(&self.disk), index }))
    }

    fn create(&self, name: &str, len_bytes: u64) -> io::Result<Arc<dyn MediumFile>> {
        let mut disk = lock(&self.disk);
        disk.operate()?;
        disk.take_space(len_bytes)?;
        let index = disk.files.len();
        let len = len_bytes as usize;
        disk.files.push(Content {
            current: vec![0; len],
            durable: vec![],
            pending: vec![Change::Resize(len)],
        });
        disk.rename_in_directory(|names| {
            names.insert(name.to_owned(), index);
        });
        Ok(Arc::new(SimulatedFile { disk: Arc::clone(&self.disk), index }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = lock(&self.disk);
        disk.operate()?;
        let index = *disk.names.get(from).ok_or(io::ErrorKind::NotFound)?;
        disk.rename_in_directory(|names| {
            names.remove(from);
            names.insert(to.to_owned(), index);
        });
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut disk = lock(&self.disk);
        disk.operate()?;
        if !disk.names.contains_key(name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        disk.rename_in_directory(|names| {
            names.remove(name);
        });
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        let mut disk = lock(&self.disk);
        disk.operate()?;
        disk.names_durable = disk.names.clone();
        disk.names_pending.clear();
        Ok(())
    }

    fn nonce(&self) -> u64 {
        let mut disk = lock(&self.disk);
        disk.nonce += 1;
        Dice(disk.nonce).next()
    }
}

#[derive(Debug)]
struct SimulatedFile {
    disk: Arc<Mutex<Disk>>,
    index: usize,
}

impl SimulatedFile {
    fn with<T>(&self, act: impl FnOnce(&mut Content) -> T) -> io::Result<T> {
        let mut disk = lock(&self.disk);
        Ok(act(disk.files.get_mut(self.index).ok_or(io::ErrorKind::NotFound)?))
    }
}

impl MediumFile for SimulatedFile {
    fn len_bytes(&self) -> io::Result<u64> {
        self.with(|content| content.current.len() as u64)
    }

    fn read_at(&self, position: u64, into: &mut [u8]) -> io::Result<()> {
        self.with(|content| {
            let start = position as usize;
            let found = content.current.get(start..start + into.len());
            into.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        })?
    }

    fn write_at(&self, position: u64, parts: &mut [IoSlice<'_>]) -> io::Result<()> {
        let outcome = lock(&self.disk).operate();
        if matches!(outcome, Err(Interrupted { during: false })) {
            return Ok(outcome?);
        }
        let bytes: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        let position = position as usize;
        self.with(|content| {
            overwrite(&mut content.current, position, &bytes);
            content.pending.push(Change::Write { position, bytes });
        })?;
        Ok(outcome?)
    }

    fn sync_data(&self) -> io::Result<()> {
        let forgets = {
            let mut disk = lock(&self.disk);
            disk.operate()?;
            let left = disk.syncs_until_failure;
            disk.syncs_until_failure = left.and_then(|left| left.checked_sub(1));
            left == Some(0)
        };
        self.with(|content| {
            if forgets {
                content.pending.clear();
                return Err(io::Error::other("the disk refused the sync"));
            }
            let changes = std::mem::take(&mut content.pending);
            for change in changes {
                match change {
                    Change::Resize(len) => content.durable.resize(len, 0),
                    Change::Write { position, bytes } => {
                        overwrite(&mut content.durable, position, &bytes);
                    }
                }
            }
            Ok(())
        })?
    }
}
