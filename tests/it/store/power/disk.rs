//! A disk as it may look after a loss of power, made of what was recorded up to a random moment.
//!
//! Assumed of the file system, and of nothing more:
//! - what a file held at its last completed `fsync` is there;
//! - of each write after that, each sector (or page) is there or not, whatever came before or after it; a file may be as long as
//!   a write made it whose bytes are not there, and holds zeros then;
//! - a name is in its folder as it was at the folder's last completed `fsync`, or as any later change left it, each name by
//!   itself; or, in half of the disks, as a journal has it: all changes of names up to some moment;
//! - `fsync` of a file says nothing about its name.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use fastrand::Rng;

/// One recorded call.
#[derive(Debug)]
pub(super) enum Call {
    Create(u64, PathBuf),
    Truncate(u64, u64),
    Write(u64, u64, Vec<u8>),
    Sync(u64),
    SyncFolder(PathBuf),
    MakeFolder(PathBuf),
    Rename(PathBuf, PathBuf),
    Unlink(PathBuf),
    Ack(u64),
}

/// Reads what `record.c` wrote; paths are below `store`, whose own is empty.
pub(super) fn parse(mut bytes: &[u8], store: &Path) -> Vec<Call> {
    let below = |text: &str| Path::new(text).strip_prefix(store).unwrap().to_owned();
    let mut calls = Vec::new();
    while let Some(end) = bytes.iter().position(|it| *it == b'\n') {
        let line = std::str::from_utf8(&bytes[..end]).unwrap();
        bytes = &bytes[end + 1..];
        let (call, rest) = line.split_once(' ').unwrap();
        let numbers: Vec<u64> = rest.split(' ').map_while(|it| it.parse().ok()).collect();
        calls.push(match call {
            "create" => Call::Create(numbers[0], below(rest.split_once(' ').unwrap().1)),
            "truncate" => Call::Truncate(numbers[0], numbers[1]),
            "write" => {
                let (data, after) = bytes.split_at(usize::try_from(numbers[2]).unwrap());
                bytes = after;
                Call::Write(numbers[0], numbers[1], data.to_vec())
            }
            "sync" => Call::Sync(numbers[0]),
            "syncdir" => Call::SyncFolder(below(rest)),
            "mkdir" => Call::MakeFolder(below(rest)),
            "rename" => {
                let (from, to) = rest.split_once('\t').unwrap();
                Call::Rename(below(from), below(to))
            }
            "unlink" => Call::Unlink(below(rest)),
            "ack" => Call::Ack(numbers[0]),
            other => unreachable!("{other}"),
        });
    }
    calls
}

/// What a name leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    File(usize),
    Folder,
}

/// A change of a file that no `fsync` has covered.
#[derive(Clone, Debug)]
enum Loose {
    Write(u64, Vec<u8>),
    Length(u64),
}

#[derive(Clone, Debug, Default)]
struct File {
    durable: Vec<u8>,
    now: Vec<u8>,
    loose: Vec<Loose>,
}

/// The disk as far as it was recorded.
#[derive(Debug, Default)]
pub(super) struct Disk {
    files: Vec<File>,
    /// Which file has the inode now: they are given out again.
    inodes: BTreeMap<u64, usize>,
    names: BTreeMap<PathBuf, Node>,
    durable_names: BTreeMap<PathBuf, Node>,
    loose_names: Vec<(PathBuf, Option<Node>)>,
}

impl Disk {
    pub(super) fn take(&mut self, call: &Call) {
        match call {
            Call::Create(inode, path) => {
                self.inodes.insert(*inode, self.files.len());
                let node = Node::File(self.files.len());
                self.files.push(File::default());
                self.name(path, Some(node));
            }
            Call::Truncate(inode, length) => {
                let file = self.file(*inode);
                file.now.resize(usize::try_from(*length).unwrap(), 0);
                file.loose.push(Loose::Length(*length));
            }
            Call::Write(inode, at, data) => {
                let file = self.file(*inode);
                lay(&mut file.now, *at, data);
                file.loose.push(Loose::Write(*at, data.clone()));
            }
            Call::Sync(inode) => {
                let file = self.file(*inode);
                for loose in std::mem::take(&mut file.loose) {
                    match loose {
                        Loose::Write(at, data) => lay(&mut file.durable, at, &data),
                        Loose::Length(length) => {
                            file.durable.resize(usize::try_from(length).unwrap(), 0);
                        }
                    }
                }
                assert_eq!(file.durable.len(), file.now.len());
            }
            Call::SyncFolder(folder) => {
                let is_in = |path: &Path| {
                    path.parent() == Some(folder.as_path()) && path != folder.as_path()
                };
                let durable = &mut self.durable_names;
                self.loose_names.retain(|(path, node)| {
                    if is_in(path) {
                        set(durable, path, *node);
                    }
                    !is_in(path)
                });
            }
            Call::MakeFolder(path) => self.name(path, Some(Node::Folder)),
            Call::Rename(from, to) => {
                let node = self.names[from];
                // Both names are one change for a journal: the new one first, so that none is without the file.
                self.name(to, Some(node));
                self.name(from, None);
            }
            Call::Unlink(path) => self.name(path, None),
            Call::Ack(_) => {}
        }
    }

    fn file(&mut self, inode: u64) -> &mut File {
        let number = self.inodes[&inode];
        &mut self.files[number]
    }

    fn name(&mut self, path: &Path, node: Option<Node>) {
        set(&mut self.names, path, node);
        self.loose_names.push((path.to_owned(), node));
    }

    /// Writes into `folder` what a loss of power may leave.
    pub(super) fn lose_power(&self, folder: &Path, rng: &mut Rng) {
        let mut names = self.durable_names.clone();
        names.insert(PathBuf::new(), Node::Folder); // whoever makes it sees to its name
        if rng.bool() {
            let upto = rng.usize(..=self.loose_names.len());
            for (path, node) in &self.loose_names[..upto] {
                set(&mut names, path, *node);
            }
        } else {
            let share = rng.f64();
            for (path, node) in &self.loose_names {
                if rng.f64() < share {
                    set(&mut names, path, *node);
                }
            }
        }
        let piece = if rng.bool() { 512 } else { 4_096 };
        let way = rng.u8(..4);
        for (path, node) in &names {
            let has_folder = path
                .ancestors()
                .skip(1)
                .all(|it| names.get(it) == Some(&Node::Folder));
            if !has_folder {
                continue;
            }
            match node {
                Node::Folder => fs::create_dir_all(folder.join(path)).unwrap(),
                Node::File(number) => {
                    let bytes = torn(&self.files[*number], piece, way, rng);
                    fs::write(folder.join(path), bytes).unwrap();
                }
            }
        }
    }
}

/// A file after a loss of power. Way 0 loses all that is loose, 1 keeps all, 2 keeps pieces at random, 3 whole calls.
fn torn(file: &File, piece: usize, way: u8, rng: &mut Rng) -> Vec<u8> {
    let mut bytes = file.durable.clone();
    let share = rng.f64();
    for loose in &file.loose {
        let is_kept = match way {
            0 => false,
            1 => true,
            _ => rng.f64() < share,
        };
        match loose {
            Loose::Length(length) if is_kept => bytes.resize(usize::try_from(*length).unwrap(), 0),
            Loose::Write(at, data) if way == 2 => {
                // Its length may be there without its bytes.
                if is_kept {
                    let end = usize::try_from(*at).unwrap() + data.len();
                    bytes.resize(bytes.len().max(end), 0);
                }
                let mut from = 0;
                while from < data.len() {
                    let place = usize::try_from(*at).unwrap() + from;
                    let upto = data.len().min(from + piece - place % piece);
                    if rng.f64() < share {
                        lay(&mut bytes, *at + from as u64, &data[from..upto]);
                    }
                    from = upto;
                }
            }
            Loose::Write(at, data) if is_kept => lay(&mut bytes, *at, data),
            Loose::Length(_) | Loose::Write(..) => {}
        }
    }
    bytes
}

fn lay(bytes: &mut Vec<u8>, at: u64, data: &[u8]) {
    let at = usize::try_from(at).unwrap();
    let end = at + data.len();
    bytes.resize(bytes.len().max(end), 0);
    bytes[at..end].copy_from_slice(data);
}

fn set(names: &mut BTreeMap<PathBuf, Node>, path: &Path, node: Option<Node>) {
    match node {
        Some(node) => drop(names.insert(path.to_owned(), node)),
        None => drop(names.remove(path)),
    }
}
